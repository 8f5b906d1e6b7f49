"""A venue's past, downloaded over real sockets: whole, exact, each bar once, whatever breaks off."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.past import SYMBOL, assert_same, past_bars, venue_of
from tests.marketdata.samples import JANUARY_2024_NS, MINUTE_NS, make_bars
from trading.exchanges.coinbase.history import CoinbaseHistory
from trading.exchanges.coinbase.names import UnknownProduct
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import API_PATH
from trading.exchanges.failures import NoAnswer
from trading.exchanges.kraken import rest as kraken_rest
from trading.exchanges.kraken.history import KrakenHistory
from trading.exchanges.kraken.names import UnknownPair
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.venue_clock import VenueClock
from trading.marketdata.download import (
    Download,
    History,
    NothingToAsk,
    Span,
    download,
    joined,
    missing_spans,
)
from trading.marketdata.store import FOREVER, BarStore, SeriesKey

BARS = past_bars(900)
CLOSED = BARS[:-1]
ALL = Span(JANUARY_2024_NS, FOREVER)
Open = Callable[..., History]


@pytest.fixture
async def venue() -> AsyncIterator[Simulator]:
    made = venue_of(BARS)
    made.coinbase.rest.limits.public = 100_000
    await made.start()
    yield made
    await made.stop()


def kraken(venue: Simulator, *, symbol: str = SYMBOL, minutes: int = 1) -> History:
    rest = KrakenRest(url=venue.address, read_number=Decimal)
    return KrakenHistory(
        rest=rest, symbol=symbol, timeframe_ns=minutes * MINUTE_NS, apart_seconds=0.0
    )


def coinbase(venue: Simulator, *, symbol: str = SYMBOL, minutes: int = 1) -> History:
    rest = CoinbaseRest(url=venue.address + API_PATH, clock=VenueClock())
    return CoinbaseHistory(
        rest=rest, symbol=symbol, timeframe_ns=minutes * MINUTE_NS, apart_seconds=0.0
    )


BOTH = pytest.mark.parametrize("open_history", [kraken, coinbase])


async def run(
    store: BarStore, history: History, span: Span = ALL, *, seconds: int = 60
) -> Download:
    done = Download(SeriesKey("simulator", SYMBOL, seconds), span)
    try:
        await download(store=store, history=history, done=done)
    finally:
        await history.close()
    return done


def stored(store: BarStore, seconds: int = 60) -> np.ndarray:
    return store.read(SeriesKey("simulator", SYMBOL, seconds))


@BOTH
async def test_the_past_is_whole_and_the_running_bar_is_left_out(
    venue: Simulator, tmp_path: Path, open_history: Open
) -> None:
    store = BarStore(tmp_path)

    done = await run(store, open_history(venue))
    again = await run(store, open_history(venue))

    assert_same(stored(store), CLOSED)
    assert (done.merged.added, again.merged.added, again.merged.replaced) == (len(CLOSED), 0, 0)
    assert done.listing is not None
    assert (done.listing.tick_size, done.listing.lot_size) == (Decimal("0.1"), Decimal("0.0001"))


@BOTH
async def test_holes_are_filled_and_what_is_stored_stays_as_it_is(
    venue: Simulator, tmp_path: Path, open_history: Open
) -> None:
    store, key = BarStore(tmp_path), SeriesKey("simulator", SYMBOL, 60)
    kept = CLOSED[np.random.default_rng(3).random(len(CLOSED)) < 0.7].copy()
    kept["volume"] += 1.0
    store.merge(key, kept)

    done = await run(store, open_history(venue))

    found = stored(store)
    mine = np.isin(found["open_ns"], kept["open_ns"])
    assert (done.merged.added, done.merged.replaced) == (len(CLOSED) - len(kept), 0)
    assert found[mine].tolist() == kept.tolist()
    assert_same(found[~mine], CLOSED[~np.isin(CLOSED["open_ns"], kept["open_ns"])])


@BOTH
async def test_a_range_ends_before_its_last_day_and_larger_bars_are_whole(
    venue: Simulator, tmp_path: Path, open_history: Open
) -> None:
    store = BarStore(tmp_path)
    first_ns, last_ns = JANUARY_2024_NS + 60 * MINUTE_NS, JANUARY_2024_NS + 600 * MINUTE_NS

    await run(store, open_history(venue, minutes=15), Span(first_ns, last_ns), seconds=900)

    found = stored(store, 900)
    quarter = CLOSED["open_ns"] // (15 * MINUTE_NS) * 15 * MINUTE_NS
    assert found["open_ns"].tolist() == list(range(first_ns, last_ns, 15 * MINUTE_NS))
    for bar in found:
        made = CLOSED[quarter == bar["open_ns"]]
        assert (bar["high"], bar["close"]) == (made["high"].max(), made["close"][-1])
        assert bar["volume"] == pytest.approx(made["volume"].sum())


async def test_any_timeframe_is_built_of_trades(venue: Simulator, tmp_path: Path) -> None:
    store = BarStore(tmp_path)

    await run(
        store,
        kraken(venue, minutes=3),
        Span(ALL.start_ns, ALL.start_ns + 90 * MINUTE_NS),
        seconds=180,
    )

    found = stored(store, 180)
    third = CLOSED["open_ns"] // (3 * MINUTE_NS) * 3 * MINUTE_NS
    assert found["open_ns"].tolist() == sorted(set(third.tolist()))[: len(found)]
    assert len(found) == 30
    for bar in found:
        made = CLOSED[third == bar["open_ns"]]
        assert (bar["open"], bar["low"]) == (made["open"][0], made["low"].min())


@BOTH
async def test_a_venue_that_fails_leaves_what_came_and_the_next_run_goes_on(
    venue: Simulator, tmp_path: Path, open_history: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_rest, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("trading.exchanges.coinbase.rest.FIRST_PAUSE_SECONDS", 0.01)
    store, done = BarStore(tmp_path), Download(SeriesKey("simulator", SYMBOL, 60), ALL)
    history = open_history(venue)

    def break_down(asked: int, _: int) -> None:
        if asked > 90:
            for _ in range(9):
                venue.exchange.faults.arm(Fault(kind="page_520", where=""))

    with pytest.raises(NoAnswer):
        await download(store=store, history=history, done=done, progress=break_down)
    await history.close()
    half = stored(store)
    venue.exchange.faults.armed.clear()
    await run(store, open_history(venue))

    assert 0 < len(half) < len(CLOSED)
    assert_same(half, CLOSED[: len(half)])
    assert_same(stored(store), CLOSED)


@BOTH
async def test_an_interrupted_download_keeps_what_came(
    venue: Simulator, tmp_path: Path, open_history: Open
) -> None:
    store, done = BarStore(tmp_path), Download(SeriesKey("simulator", SYMBOL, 60), ALL)
    history, far = open_history(venue), asyncio.Event()

    def tell(asked: int, _: int) -> None:
        if asked > 90:
            far.set()

    task = asyncio.create_task(download(store=store, history=history, done=done, progress=tell))
    await far.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await history.close()

    half = stored(store)
    assert 0 < len(half) == done.merged.added < len(CLOSED)
    assert_same(half, CLOSED[: len(half)])


@pytest.mark.parametrize(
    ("open_history", "error"), [(kraken, UnknownPair), (coinbase, UnknownProduct)]
)
async def test_an_unknown_pair_is_refused_with_near_ones(
    venue: Simulator, tmp_path: Path, open_history: Open, error: type[Exception]
) -> None:
    with pytest.raises(error, match="does not list BTC/CHF; it lists BTC/EUR, BTC/USD"):
        await run(BarStore(tmp_path), open_history(venue, symbol="BTC/CHF"))


@BOTH
async def test_the_future_has_no_bars(venue: Simulator, tmp_path: Path, open_history: Open) -> None:
    with pytest.raises(NothingToAsk):
        await run(BarStore(tmp_path), open_history(venue), Span(int(BARS["open_ns"][-1]), FOREVER))


async def test_too_many_requests_are_waited_out(
    venue: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.exchanges.pacing.FIRST_PAUSE_SECONDS", 0.01)
    for method in ("Trades", "OHLC"):
        for _ in range(3):
            words = "EGeneral:Too many requests"
            venue.exchange.faults.arm(Fault(kind="error", where=method, words=words))
    store = BarStore(tmp_path)

    await run(store, kraken(venue))

    assert_same(stored(store), CLOSED)
    assert not venue.exchange.faults.armed


async def test_coinbases_own_limit_is_kept(venue: Simulator, tmp_path: Path) -> None:
    venue.coinbase.rest.limits.public = 10
    store = BarStore(tmp_path)

    await run(store, coinbase(venue))

    assert_same(stored(store), CLOSED)


async def test_days_before_a_market_opened_cost_next_to_nothing(
    venue: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    ask = CoinbaseRest.public

    async def counted(self: CoinbaseRest, path: str, **params: Any) -> Any:
        asked.append(params)
        return await ask(self, path, **params)

    monkeypatch.setattr(CoinbaseRest, "public", counted)
    store, year_ns = BarStore(tmp_path), 365 * 1440 * MINUTE_NS

    await run(store, coinbase(venue), Span(JANUARY_2024_NS - 3 * year_ns, FOREVER))

    assert_same(stored(store), CLOSED)
    assert len(asked) < 20


LAST_MOMENT_NS = JANUARY_2024_NS + MINUTE_NS - 1
CROWDED = [
    *[(JANUARY_2024_NS + n * 1_000_000, n, 100 + n % 7) for n in range(990)],
    *[(LAST_MOMENT_NS, n, 200) for n in range(990, 1020)],  # of one moment, on two pages
    *[(JANUARY_2024_NS + MINUTE_NS + n, n, 300) for n in range(1020, 1100)],
]


@pytest.fixture
async def crowded() -> AsyncIterator[str]:
    """A Kraken whose trades share moments across pages."""
    pair = {"altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 4}
    now_s = JANUARY_2024_NS // 10**9 + 86_400 * 3

    async def answer(request: web.Request) -> web.Response:
        since = int(request.query.get("since", "0"))
        newer = [one for one in CROWDED if one[0] > since][:1000]
        rows = ",".join(
            f'["{price}.0","0.5",{at // 10**9}.{at % 10**9:09d},"b","l","",{number}]'
            for at, number, price in newer
        )
        told = {
            "AssetPairs": {"XXBTZUSD": pair},
            "Time": {"unixtime": now_s},
            "OHLC": {"XXBTZUSD": [], "last": 0},
        }.get(request.match_info["method"])
        if told is not None:
            return web.json_response({"error": [], "result": told})
        last = newer[-1][0] if newer else since
        body = f'{{"error":[],"result":{{"XXBTZUSD":[{rows}],"last":"{last}"}}}}'
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/0/public/{method}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_trades_of_one_moment_on_two_pages_count_once_each(
    crowded: str, tmp_path: Path
) -> None:
    store = BarStore(tmp_path)
    rest = KrakenRest(url=crowded, read_number=Decimal)

    await run(
        store, KrakenHistory(rest=rest, symbol=SYMBOL, timeframe_ns=MINUTE_NS, apart_seconds=0)
    )

    first, second = stored(store).tolist()
    assert first == (JANUARY_2024_NS, 100.0, 200.0, 100.0, 200.0, 510.0)
    assert second == (JANUARY_2024_NS + MINUTE_NS, 300.0, 300.0, 300.0, 300.0, 40.0)


@settings(max_examples=25, deadline=None)
@given(kept=st.sets(st.integers(0, 59)), apart=st.integers(1, 20))
def test_what_is_missing_and_what_is_stored_are_the_whole_range(kept: set[int], apart: int) -> None:
    bars = make_bars(60)
    span = Span(JANUARY_2024_NS, JANUARY_2024_NS + 60 * MINUTE_NS)
    with tempfile.TemporaryDirectory() as folder:
        store, key = BarStore(folder), SeriesKey("simulator", SYMBOL, 60)
        store.merge(key, bars[sorted(kept)])

        missing = missing_spans(store, key, span)

    def minutes(spans: list[Span]) -> list[int]:
        return [
            at for s in spans for at in range(
                (s.start_ns - span.start_ns) // MINUTE_NS, (s.end_ns - span.start_ns) // MINUTE_NS
            )
        ]  # fmt: skip

    assert minutes(missing) == sorted(set(range(60)) - kept)
    together = joined(missing, apart_ns=apart * MINUTE_NS)
    assert set(minutes(missing)) <= set(minutes(together))
    for one, next_one in pairwise(together):
        assert next_one.start_ns - one.end_ns >= apart * MINUTE_NS
