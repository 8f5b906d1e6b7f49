"""Prices between bars over the wire: the venue's own at every moment, stale when it is silent, bars as ever."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fakes import random_bars
from tests.exchanges.shared_street import Ear, relay_of, served, values_of
from tests.exchanges.street import GRID, ArrayBars, open_simulator
from tests.exchanges.test_kraken_feed import MINUTE_NS, assert_whole
from trading.engine.quotes import Quote, Quotes
from trading.exchanges import sockets
from trading.exchanges import wire_feed as feed_module
from trading.exchanges.kraken import tickers
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.sockets import Subscriptions
from trading.exchanges.kraken.tickers import read_quotes
from trading.exchanges.shared import link as link_module
from trading.exchanges.shared.kraken import KrakenDialect
from trading.exchanges.shared.link import Link, SharedRest, SharedStream
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator

BARS, NS = random_bars(2, 190), 1_000_000_000
NUMBERS = ("last", "bid", "ask", "volume", "change_pct")


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 1.6)
    monkeypatch.setattr(link_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(feed_module, "RETRY_SECONDS", 0.1)
    made = await open_simulator(BARS)
    made.list_pair("ETH/USD", source=ArrayBars(random_bars(3, 190)), grid=GRID)
    made.clock.jump(int(BARS["open_ns"][100]))
    yield made
    await made.stop()


def own(simulator: Simulator, quotes: Quotes, *symbols: str) -> KrakenFeed:
    return KrakenFeed(
        rest=KrakenRest(url=simulator.address),
        ws_url=f"ws://127.0.0.1:{simulator.port}/v2",
        symbols=symbols or ("BTC/USD",),
        timeframe_ns=MINUTE_NS,
        quotes=quotes,
    )


def shared(path: Path, quotes: Quotes, *symbols: str) -> KrakenFeed:
    link, wanted = Link(path, patience_seconds=1e9), symbols or ("BTC/USD",)
    return KrakenFeed(
        rest=SharedRest(link),
        ws_url="",
        listen=SharedStream(link, symbols=wanted, timeframe_ns=MINUTE_NS).listen,
        symbols=wanted,
        timeframe_ns=MINUTE_NS,
        quotes=quotes,
    )


def board() -> Quotes:
    return Quotes(time.monotonic)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


def is_as_at(
    simulator: Simulator, quotes: Quotes, symbol: str = "BTC/USD", market: int = 0
) -> bool:
    """Whether a market's best prices are the venue's own."""
    bids, asks = simulator.exchange.markets[symbol].book(1)
    quote = quotes.find(market)
    told = quote and not quotes.is_stale(market) and (quote.bid, quote.ask)
    return told == (float(bids[0][0]), float(asks[0][0]))


async def move(simulator: Simulator, seconds: int) -> None:
    for _ in range(seconds):
        simulator.clock.jump(simulator.clock.now_ns() + NS)
        await asyncio.sleep(0.02)


async def test_the_venues_best_prices_are_known_between_bars(simulator: Simulator) -> None:
    quotes, seen = board(), set[float]()
    ear = Ear(own(simulator, quotes, "BTC/USD", "ETH/USD"))
    await ear.until(is_up=True)
    before = len(ear.bars)
    for _ in range(10):
        await move(simulator, 1)
        await until(lambda: is_as_at(simulator, quotes))
        await until(lambda: is_as_at(simulator, quotes, "ETH/USD", 1))
        quote = quotes.find(0)
        seen.add(quote.price if quote else 0.0)
    await ear.close()

    assert len(seen) > 3
    assert quote is not None
    assert (quote.change, quote.volume) == (0.0, 2400.0)
    assert len(ear.bars) - before <= 2, "nothing closed meanwhile"


@pytest.mark.parametrize("kind", ["drop", "duplicate", "not_json"])
async def test_what_a_fault_takes_the_next_message_brings(simulator: Simulator, kind: str) -> None:
    quotes = board()
    ear = Ear(own(simulator, quotes))
    await ear.until(is_up=True)
    await until(lambda: quotes.find(0) is not None)
    simulator.exchange.faults.arm(Fault(kind, "ticker", times=3))
    while len(simulator.exchange.faults.armed):
        await move(simulator, 1)
    for _ in range(60):
        await move(simulator, 1)
        if is_as_at(simulator, quotes):
            break
    await ear.close()

    assert is_as_at(simulator, quotes)
    assert ear.ups == [True]


async def test_a_lost_connection_makes_prices_stale_until_the_venue_tells_again(
    simulator: Simulator,
) -> None:
    was_stale: list[bool] = []

    class Noted(Quotes):
        def lose(self) -> None:
            super().lose()
            was_stale.append(self.is_stale(0))

    quotes = Noted(time.monotonic)
    ear = Ear(own(simulator, quotes))
    await ear.until(is_up=True)
    await until(lambda: is_as_at(simulator, quotes))
    simulator.close_sockets()
    await until(lambda: bool(was_stale))
    await until(lambda: is_as_at(simulator, quotes))
    await ear.close()

    assert was_stale == [True]


async def test_without_its_ticker_a_market_is_worth_its_last_trade_and_trades_on(
    simulator: Simulator,
) -> None:
    quotes = board()
    simulator.exchange.faults.arm(Fault("drop", "ticker", times=10**6))
    ear = Ear(own(simulator, quotes))
    await ear.until(is_up=True)
    last = simulator.exchange.markets["BTC/USD"].last_price
    await move(simulator, 120)
    await until(lambda: quotes.find(0) == Quote(float(last())))
    quote = quotes.find(0)
    await ear.close()

    assert quote is not None
    assert not quote.has_best
    assert_whole(ear.heard, simulator, least=100)


async def test_a_refused_ticker_does_not_cost_the_candles() -> None:
    refused = {"method": "subscribe", "success": False, "error": "Subscription name invalid"}
    candles = {"channel": "ohlc", "symbol": ["BTC/USD"]}
    wanted = [{"method": "subscribe", "params": candles}, tickers.request(["BTC/USD"])]

    async def ask() -> list[sockets.Frame]:
        return wanted

    own_talk, dialect = Subscriptions(ask), KrakenDialect()
    requests = await own_talk.requests()

    for hears in (own_talk.hear, dialect.is_news):
        hears({**refused, "req_id": requests[1]["req_id"]})
        with pytest.raises(sockets.Broken, match="refused: Subscription name invalid"):
            hears({**refused, "req_id": requests[0]["req_id"] + 6})


async def test_who_shares_a_feed_knows_the_same_prices_and_bars(
    simulator: Simulator, tmp_path: Path
) -> None:
    path, boards = tmp_path / "feed.sock", [board(), board(), board()]
    async with served(relay_of(simulator), path) as relay:
        first = Ear(shared(path, boards[0]))
        await first.until(is_up=True)
        await until(lambda: is_as_at(simulator, boards[0]))
        ears = [first, Ear(shared(path, boards[1])), Ear(own(simulator, boards[2]))]
        for ear in ears:
            await ear.until(is_up=True)
        await until(
            lambda: is_as_at(simulator, boards[1])
        )  # what it was told last, without a change
        await move(simulator, 130)
        await until(lambda: all(is_as_at(simulator, board) for board in boards))
        for ear in ears:
            await ear.close()

    opens = set.intersection(*({bar.open_ns for bar in ear.bars} for ear in ears))
    one, two, three = (values_of([bar for bar in ear.bars if bar.open_ns in opens]) for ear in ears)
    assert one == two == three
    assert len(one) > 100
    assert relay.status().connections == 1


def candle(symbol: str, stamp: str) -> dict[str, object]:
    row = {"symbol": symbol, "interval": 1, "interval_begin": "2026-01-05T12:00:00.000000000Z"}
    return {"channel": "ohlc", "type": "update", "timestamp": stamp, "data": [row]}


def test_a_quiet_pair_hears_each_second_that_a_busy_connection_lives() -> None:
    dialect, frames = KrakenDialect(), list[object]()
    for tenth in range(30):
        stamp = f"2026-01-05T12:00:{tenth // 10:02d}.{tenth % 10}00000Z"
        parts = dialect.parts(candle("BTC/USD", stamp))
        assert parts[0][0] == ("BTC/USD", 1)
        frames += [frame for topic, frame in parts if topic is None]

    assert frames == [
        {"channel": "heartbeat", "timestamp": f"2026-01-05T12:00:0{second}.000000Z"}
        for second in range(3)
    ]


async def test_a_pair_that_fell_quiet_is_decided_on_in_time_beside_a_busy_one(
    simulator: Simulator, tmp_path: Path
) -> None:
    path, begin = tmp_path / "feed.sock", int(BARS["open_ns"][100])
    simulator.list_pair("SOL/USD", source=ArrayBars(random_bars(4, 190)[:101]), grid=GRID)
    async with served(relay_of(simulator), path):
        busy, quiet = (Ear(shared(path, board(), pair)) for pair in ("BTC/USD", "SOL/USD"))
        await busy.until(is_up=True)
        await quiet.until(is_up=True)
        for _ in range(110):  # the busy one never pauses, so the venue sends no heartbeat
            await move(simulator, 1)
            await asyncio.sleep(0.03)
            if quiet.bars[-1].open_ns == begin:
                break
        await busy.close()
        await quiet.close()

    assert (quiet.bars[-1].open_ns, quiet.bars[-1].late) == (begin, False)


@given(
    row=st.fixed_dictionaries(
        {"symbol": st.just("BTC/USD")},
        optional={
            name: st.one_of(
                st.floats(1e-8, 1e9).map(lambda price: f"{price:.8f}"),
                st.sampled_from(["NaN", "-1", "0", "1e999", "", None, [], "x"]),
            )
            for name in NUMBERS
        },
    )
)
def test_a_row_of_the_ticker_is_read_or_left_out(row: dict[str, object]) -> None:
    for symbol, quote in read_quotes([row]):
        assert symbol == "BTC/USD"
        assert 0 < quote.price < float("inf")
        assert quote.last == float(str(row["last"]))
