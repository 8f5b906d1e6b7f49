"""Candles over the wire while things go wrong: each once, in order, equal to the venue's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.engine.fakes import MINUTE_NS, random_bars
from tests.exchanges.street import open_simulator
from trading.engine.messages import BarClosed, FeedChange, News
from trading.exchanges import sockets
from trading.exchanges import wire_feed as feed_module
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.names import UnknownPair
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.recording import RecordingFeed
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.sockets import Listen
from trading.marketdata.store import BarStore, SeriesKey

BARS = random_bars(2, 190)


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 1.6)
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(feed_module, "RETRY_SECONDS", 0.1)
    made = await open_simulator(BARS)
    yield made
    await made.stop()


def feed_of(
    simulator: Simulator,
    symbol: str = "BTC/USD",
    listen: Listen = sockets.listen,
    rest: KrakenRest | None = None,
) -> KrakenFeed:
    socket = f"ws://127.0.0.1:{simulator.port}/v2"
    return KrakenFeed(
        rest=rest or KrakenRest(url=simulator.address),
        ws_url=socket,
        symbols=[symbol],
        timeframe_ns=MINUTE_NS,
        listen=listen,
    )


async def listen(
    simulator: Simulator, feed: Any, *, minutes: int, trouble: Any = None, after: int = 0
) -> list[Any]:
    """What the feed tells while the venue's time goes through some minutes."""
    heard: list[Any] = []

    async def hear() -> None:
        async for one in feed.news(after_ns={0: after}):
            heard.append(one)

    task = asyncio.create_task(hear())
    while not any(isinstance(one, FeedChange) for one in heard):
        if task.done():
            task.result()
        await asyncio.sleep(0.02)
    for minute in range(minutes):
        if trouble is not None:
            await trouble(minute)
        for _ in range(4):
            simulator.clock.jump(simulator.clock.now_ns() + MINUTE_NS // 4)
            await asyncio.sleep(0.06)
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await feed.close()
    return heard


def bars_of(heard: list[Any]) -> list[BarClosed]:
    return [one for one in heard if isinstance(one, BarClosed)]


def assert_whole(heard: list[Any], simulator: Simulator, *, least: int) -> None:
    """Every committed minute of the venue once, in order, as the venue says it was."""
    market = simulator.exchange.markets["BTC/USD"]
    told = bars_of(heard)
    opens = [bar.open_ns for bar in told]
    assert len(told) >= least
    assert opens == sorted(set(opens))
    stored = {int(b["open_ns"]) for b in BARS}
    missing = [ns for ns in stored if opens[0] <= ns <= opens[-1] and ns not in set(opens)]
    assert missing == []
    for bar in told:
        made = market.candle(bar.open_ns // MINUTE_NS, bar.open_ns + MINUTE_NS)
        assert made is not None
        assert (bar.open, bar.high, bar.low, bar.close) == tuple(
            float(getattr(made, name)) for name in ("open", "high", "low", "close")
        )


async def test_history_comes_first_and_late_then_minute_by_minute(simulator: Simulator) -> None:
    simulator.clock.jump(int(BARS["open_ns"][100]))

    heard = await listen(simulator, feed_of(simulator), minutes=6)

    assert_whole(heard, simulator, least=100)
    late = [bar.late for bar in bars_of(heard)]
    assert late[:90] == [True] * 90
    assert late[-3:] == [False] * 3


async def test_a_dropped_connection_is_told_and_nothing_is_missing(simulator: Simulator) -> None:
    async def trouble(minute: int) -> None:
        if minute in (2, 5):
            simulator.close_sockets()

    heard = await listen(simulator, feed_of(simulator), minutes=10, trouble=trouble)

    ups = [one.is_up for one in heard if isinstance(one, FeedChange)]
    assert ups[:3] == [True, False, True]
    assert_whole(heard, simulator, least=8)


async def test_silence_without_a_close_is_noticed(simulator: Simulator) -> None:
    async def trouble(minute: int) -> None:
        if minute == 2:
            simulator.silence(30.0)

    heard = await listen(simulator, feed_of(simulator), minutes=12, trouble=trouble)

    assert any(isinstance(one, FeedChange) and not one.is_up for one in heard)
    assert_whole(heard, simulator, least=9)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("duplicate", "ohlc", times=9),
        Fault("not_json", "ohlc", times=3),
        Fault("page_520", "OHLC", times=2),
        Fault("reply_lost", "OHLC"),
        Fault("error", "Time", words="EService:Busy"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.where}",
)
async def test_spoilt_messages_spoil_no_bar(simulator: Simulator, fault: Fault) -> None:
    async def trouble(minute: int) -> None:
        if minute == 2:
            simulator.exchange.faults.arm(fault)
            if fault.where in ("OHLC", "Time"):
                simulator.close_sockets()

    heard = await listen(simulator, feed_of(simulator), minutes=9, trouble=trouble)

    assert simulator.exchange.faults.met
    assert_whole(heard, simulator, least=6)


async def test_a_candle_that_was_told_wrongly_is_noticed(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "AUDIT_SECONDS", 0.3)
    feed = feed_of(simulator)
    close, spoilt = feed._candles.close, list[int]()

    def close_wrongly(now_ns: int) -> list[BarClosed]:
        bars = close(now_ns)
        if bars and not bars[-1].late and not spoilt:
            spoilt.append(bars[-1].open_ns)
            bars[-1] = msgspec.structs.replace(bars[-1], close=1.0)
        return bars

    monkeypatch.setattr(feed._candles, "close", close_wrongly)

    heard = await listen(simulator, feed, minutes=9)

    doubts = [
        one.is_up for one in heard if isinstance(one, FeedChange) and one.channel != "candles"
    ]
    assert doubts == [False, True]


async def test_minutes_the_stream_never_told_of_are_asked_for(simulator: Simulator) -> None:
    async def trouble(minute: int) -> None:
        if minute == 2:
            simulator.exchange.faults.arm(Fault("drop", "ohlc", times=9))

    heard = await listen(simulator, feed_of(simulator), minutes=9, trouble=trouble)

    opens = [bar.open_ns for bar in bars_of(heard)]
    assert {later - sooner for sooner, later in pairwise(opens)} == {MINUTE_NS}


async def test_what_waited_for_history_is_late_although_the_stream_told_it(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.exchanges.kraken.rest.FIRST_PAUSE_SECONDS", 0.001)
    faults, feed, ups = simulator.exchange.faults, feed_of(simulator), list[int]()
    faults.arm(Fault("page_520", "OHLC", 10_000))
    say = feed._say

    def note(*, is_up: bool, reason: str, channel: str = "candles") -> None:
        ups.extend([simulator.clock.now_ns()] if is_up else [])
        say(is_up=is_up, reason=reason, channel=channel)

    async def trouble(minute: int) -> None:
        if minute == 5:
            faults.armed.clear()

    feed._say = note  # type: ignore[method-assign]
    began_ns = simulator.clock.now_ns()
    heard = await listen(simulator, feed, minutes=9, trouble=trouble)

    meanwhile = [bar for bar in bars_of(heard) if began_ns <= bar.open_ns <= ups[0] - 2 * MINUTE_NS]
    assert len(meanwhile) >= 3
    assert all(bar.late for bar in meanwhile)
    assert not bars_of(heard)[-1].late


async def test_after_a_restart_it_goes_on_behind_the_last_told_bar(simulator: Simulator) -> None:
    simulator.clock.jump(int(BARS["open_ns"][60]))
    first = bars_of(await listen(simulator, feed_of(simulator), minutes=3))

    second = bars_of(
        await listen(simulator, feed_of(simulator), minutes=3, after=first[-1].open_ns)
    )

    assert second[0].open_ns > first[-1].open_ns
    assert_whole([*first, *second], simulator, least=60)


async def test_an_unknown_pair_is_named_with_near_ones(simulator: Simulator) -> None:
    with pytest.raises(UnknownPair, match="does not list BTC/EUR; it lists BTC/USD"):
        await listen(simulator, feed_of(simulator, "BTC/EUR"), minutes=1)


async def test_a_candle_the_stream_did_not_tell_to_its_end_is_not_told(
    simulator: Simulator,
) -> None:
    """REST may say what time it is; a stalled stream has the rest of the minute still to tell."""
    simulator.clock.jump(int(BARS["open_ns"][100]) + MINUTE_NS // 2)
    half = int(BARS["open_ns"][100])
    stalled, goes_on = [asyncio.Event() for _ in range(2)]

    async def listen_until_it_stalls(url: str, converse: Any) -> AsyncIterator[Any]:
        async with aclosing(sockets.listen(url, converse)) as frames:
            async for frame in frames:
                yield frame
                if isinstance(frame, dict) and frame["channel"] == "ohlc" and not goes_on.is_set():
                    stalled.set()
                    await goes_on.wait()

    feed = feed_of(simulator, listen=listen_until_it_stalls)
    heard: list[BarClosed] = []

    async def hear() -> None:
        async for one in feed.news(after_ns={0: half - MINUTE_NS}):
            if isinstance(one, BarClosed):
                heard.append(one)

    task = asyncio.create_task(hear())
    await stalled.wait()
    simulator.clock.jump(half + 3 * MINUTE_NS)
    await feed._time_ns()
    await asyncio.sleep(0.3)
    before = list(heard)
    goes_on.set()
    while len(heard) < 2:
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await feed.close()

    assert before == []
    assert_whole(heard, simulator, least=2)


class Checked:
    """Another feed; of each bar is noted what was stored when it was told."""

    def __init__(self, feed: RecordingFeed, stored: Callable[[], list[int]]) -> None:
        self.feed, self.stored, self.behind = feed, stored, list[BarClosed]()

    async def news(self, *, after_ns: dict[int, int]) -> AsyncIterator[News]:
        async for told in self.feed.news(after_ns=after_ns):
            if isinstance(told, BarClosed) and told.open_ns not in self.stored():
                self.behind.append(told)
            yield told

    async def close(self) -> None:
        await self.feed.close()


async def test_a_bar_is_stored_before_it_is_told(simulator: Simulator, tmp_path) -> None:
    """An engine may decide on it and be killed before it hears another: its proof needs the bar."""
    simulator.clock.jump(int(BARS["open_ns"][100]))
    key, store = SeriesKey("simulator", "BTC/USD", 60), BarStore(tmp_path)
    checked = Checked(
        RecordingFeed(feed_of(simulator), store=store, keys=[key]),
        lambda: store.tail(key, before_ns=2**62, count=500)["open_ns"].tolist(),
    )

    heard = bars_of(await listen(simulator, checked, minutes=3))

    assert {bar.late for bar in heard} == {True, False}
    assert checked.behind == []


async def test_what_was_told_is_recorded_and_history_is_served(
    simulator: Simulator, tmp_path
) -> None:
    simulator.clock.jump(int(BARS["open_ns"][50]))
    key, store = SeriesKey("simulator", "BTC/USD", 60), BarStore(tmp_path)
    inner = feed_of(simulator)
    recorder = RecordingFeed(inner, store=store, keys=[key])

    heard = bars_of(await listen(simulator, recorder, minutes=3))

    stored = np.concatenate(list(store.iter_bars(key, start_ns=0, end_ns=2**62)))
    assert stored["open_ns"].tolist() == [bar.open_ns for bar in heard]
    assert stored["close"].tolist() == [bar.close for bar in heard]
    again = feed_of(simulator)
    history = await again.history(market=0, before_ns=heard[-1].open_ns, count=10)
    assert history["open_ns"].tolist() == [bar.open_ns for bar in heard[-11:-1]]
    await again.close()
