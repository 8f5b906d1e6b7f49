"""Bars made of Coinbase's trades while things go wrong: each once, in order, equal to the venue's own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.exchanges.coinbase_wire import PRODUCT, Wire
from trading.engine.errors import CannotTrade
from trading.engine.messages import BarClosed, FeedChange, PriceTick
from trading.engine.quotes import Quote, Quotes
from trading.exchanges import sockets, wire_feed
from trading.exchanges.coinbase.feed import CoinbaseFeed
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.venue_clock import VenueClock

MINUTE_S, NS = 60, 1_000_000_000
BEGIN_S = 1_780_000_050  # in the middle of a minute
FIRST_S = BEGIN_S - BEGIN_S % MINUTE_S
OLD_MINUTES = 5


class WireTime(VenueClock):
    """The scripted venue's time, as exact as its trades."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def now_ns(self) -> int:
        return int(self._wire.now_s * 1000) * 1_000_000


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 0.6)
    monkeypatch.setattr(sockets, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(wire_feed, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(wire_feed, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr("trading.exchanges.coinbase.rest.FIRST_PAUSE_SECONDS", 0.01)
    made = Wire(now_s=float(BEGIN_S))
    for minute in range(-OLD_MINUTES, 1):
        made.trades += trades_of(FIRST_S + minute * MINUTE_S)
    made.trades = [trade for trade in made.trades if trade[0] <= BEGIN_S]
    await made.start()
    yield made
    await made.stop()


def trades_of(open_s: int) -> list[tuple[float, str, str]]:
    """Four trades of a minute, whose candle is like no other's."""
    base = 30_000 + open_s // MINUTE_S % 1000
    return [
        (open_s + 1.25, f"{base}.1", "0.0101"),
        (open_s + 20.0, f"{base + 7}.2", "0.1"),
        (open_s + 40.5, f"{base - 7}.3", "0.0203"),
        (open_s + 58.75, f"{base + 1}.4", "0.3"),
    ]


def feed_of(wire: Wire, **more: Any) -> CoinbaseFeed:
    given = {"symbols": ["BTC/USD"], "clock": WireTime(wire), **more}
    rest = CoinbaseRest(url=wire.rest_url, clock=given["clock"])
    return CoinbaseFeed(rest=rest, ws_url=wire.ws_url, timeframe_ns=MINUTE_S * NS, **given)


async def until(is_so: Callable[[], bool], task: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(10):
        while not is_so():
            if task.done():
                task.result()
            await asyncio.sleep(0.005)


class Listener:
    """What a feed tells, while the test moves the market."""

    def __init__(self, wire: Wire, feed: Any, *, after_ns: int = 0) -> None:
        self.wire, self.feed, self.heard = wire, feed, list[Any]()
        self.task = asyncio.create_task(self._hear(after_ns))
        self.open_s = FIRST_S

    async def _hear(self, after_ns: int) -> None:
        async for one in self.feed.news(after_ns={0: after_ns}):
            self.heard.append(one)

    def bars(self) -> list[BarClosed]:
        return [one for one in self.heard if isinstance(one, BarClosed)]

    def changes(self, channel: str = "candles") -> list[bool]:
        told = [one for one in self.heard if isinstance(one, FeedChange)]
        return [one.is_up for one in told if one.channel == channel]

    async def up(self) -> None:
        await until(lambda: self.changes()[-1:] == [True], self.task)

    async def minute(
        self, *, told: Callable[[int], bool] = lambda number: True, next_told: bool = True
    ) -> None:
        """The rest of this minute and the first seconds of the next."""
        for number, (at, price, size) in enumerate(trades_of(self.open_s)):
            if at > self.wire.now_s:
                await self.wire.trade(at, price, size, told=told(number))
        self.open_s += MINUTE_S
        self.wire.now_s = self.open_s + 0.5
        await asyncio.sleep(0.03)
        at, price, size = trades_of(self.open_s)[0]
        await self.wire.trade(at, price, size, told=next_told)
        self.wire.now_s = self.open_s + 1.75  # a bar may be told, and REST has not settled
        await asyncio.sleep(0.03)
        self.wire.now_s = self.open_s + 3.0
        await asyncio.sleep(0.06)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.feed.close()

    def assert_whole(self, *, first_s: int, count: int) -> None:
        """So many minutes from the first on, once and in order, as the venue itself has them."""
        told = self.bars()
        assert [bar.open_ns // NS for bar in told] == [first_s + n * MINUTE_S for n in range(count)]
        for bar in told:
            row = self.wire.candle(bar.open_ns // NS)
            assert row is not None
            wanted = [float(row[name]) for name in ("open", "high", "low", "close", "volume")]
            assert [bar.open, bar.high, bar.low, bar.close, bar.volume] == wanted


OLDEST_S = FIRST_S - OLD_MINUTES * MINUTE_S


async def test_history_comes_first_and_late_then_minute_by_minute(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()

    for _ in range(4):
        await listener.minute()
    await listener.end()

    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 4)
    late = [bar.late for bar in listener.bars()]
    assert late == [True] * (OLD_MINUTES - 1) + [False] * 5


async def test_the_channels_are_those_of_trades_and_heartbeats(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    await listener.end()

    assert wire.subscribed[:2] == [
        {"type": "subscribe", "channel": "market_trades", "product_ids": ["BTC-USD"]},
        {"type": "subscribe", "channel": "heartbeats"},
    ]


async def test_a_lost_frame_is_noticed_and_no_trade_is_missing(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    await listener.minute()
    left = [1]

    def lose(frame: dict[str, Any]) -> list[dict[str, Any]]:
        if frame["channel"] == "market_trades" and left:
            left.pop()
            return []
        return [frame]

    wire.spoil = lose
    await listener.minute()
    await until(lambda: listener.changes()[-2:] == [False, True], listener.task)
    for _ in range(2):
        await listener.minute()
    await listener.end()

    assert listener.changes() == [True, False, True]
    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 4)


async def test_doubled_frames_odd_frames_and_silly_text_spoil_no_bar(wire: Wire) -> None:
    odd: list[dict[str, Any]] = [
        {"type": "something_new"},
        {"channel": "status", "sequence_num": "x", "events": [1]},
    ]
    wire.spoil = lambda frame: [frame, frame, *odd]
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    for _ in range(3):
        await listener.minute()
    await listener.end()

    assert listener.changes() == [True]
    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 3)


async def test_a_dropped_connection_is_told_and_nothing_is_missing(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    await listener.minute()
    await wire.drop()
    await listener.minute(told=lambda number: False)  # nobody listens to the rest of it
    await until(lambda: listener.changes() == [True, False, True], listener.task)
    for _ in range(2):
        await listener.minute()
    await listener.end()

    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 4)


async def test_silence_without_a_close_is_noticed(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    wire.is_silent = True
    await until(lambda: False in listener.changes(), listener.task)
    wire.is_silent = False
    await until(lambda: listener.changes()[-1], listener.task)
    for _ in range(2):
        await listener.minute()
    await listener.end()

    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 2)


async def test_a_minute_in_which_the_connection_began_is_taken_from_rest(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    await listener.minute()
    await listener.end()

    first = listener.bars()[OLD_MINUTES]
    assert first.open_ns == FIRST_S * NS
    assert first.open == float(trades_of(FIRST_S)[0][1])  # a trade from before the connection


async def test_that_minute_is_told_though_nobody_trades_after_it(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    for at, price, size in trades_of(FIRST_S)[2:]:
        await wire.trade(at, price, size)
    wire.now_s = FIRST_S + MINUTE_S + 3.0

    await until(lambda: len(listener.bars()) == OLD_MINUTES + 1, listener.task)
    asked = len(wire.asked)
    await asyncio.sleep(0.05)
    await listener.end()

    assert len(wire.asked) == asked  # once is enough
    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 1)


async def test_a_minute_nobody_told_of_is_asked_for(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    await listener.minute()
    await listener.minute(next_told=False)
    await listener.minute(told=lambda number: False)
    for _ in range(2):
        await listener.minute()
    await listener.end()

    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 5)


async def test_while_rest_is_down_no_bar_overtakes_what_it_must_fill(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    wire.rest_is_down = True
    for _ in range(3):
        await listener.minute()
    assert len(listener.bars()) == OLD_MINUTES

    wire.rest_is_down = False
    await until(lambda: len(listener.bars()) == OLD_MINUTES + 3, listener.task)
    await listener.end()

    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 3)


async def test_a_venue_that_does_not_answer_is_told_and_waited_for(wire: Wire) -> None:
    wire.rest_is_down = True
    listener = Listener(wire, feed_of(wire))
    await until(lambda: listener.changes() != [], listener.task)

    assert listener.changes()[0] is False
    wire.rest_is_down = False
    await listener.up()
    await listener.end()


async def test_a_bar_that_was_told_wrongly_is_noticed_once_rest_differs(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_feed, "AUDIT_SECONDS", 0.05)
    listener = Listener(wire, feed_of(wire))
    await listener.up()
    await listener.minute()
    await listener.minute()
    spoilt = dict(wire.answers)

    def other(request: Any, body: Any) -> Any:
        rows = [wire.candle(at) for at in range(OLDEST_S, listener.open_s, MINUTE_S)]
        return {"candles": [{**row, "low": "1", "close": "1"} for row in rows if row]}

    wire.answers["GET /market/products/BTC-USD/candles"] = other
    await listener.minute()
    await until(lambda: listener.changes("candles_agree") == [False], listener.task)
    wire.answers = spoilt
    await listener.minute()
    await until(lambda: listener.changes("candles_agree")[-1:] == [True], listener.task)
    await listener.end()


async def test_an_alias_is_told_under_its_other_name(wire: Wire) -> None:
    wire.products = [
        PRODUCT | {"product_id": "BTC-USDC", "quote_currency_id": "USDC", "alias": "BTC-USD"}
    ]
    listener = Listener(wire, feed_of(wire, symbols=["BTC/USDC"]))
    await listener.up()
    for _ in range(3):
        await listener.minute()
    await listener.end()

    assert wire.subscribed[0]["product_ids"] == ["BTC-USDC"]
    listener.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 3)


async def test_prices_are_told_as_they_are_traded(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire, with_ticks=True))
    await listener.up()
    await listener.minute()
    await listener.end()

    told = [one.price for one in listener.heard if isinstance(one, PriceTick)]
    rest = [float(t[1]) for t in [*trades_of(FIRST_S)[2:], trades_of(FIRST_S + MINUTE_S)[0]]]
    assert told == rest


async def test_between_bars_a_market_is_worth_its_last_trade_until_the_venue_is_lost(
    wire: Wire,
) -> None:
    quotes = Quotes(time.monotonic)
    listener = Listener(wire, feed_of(wire, quotes=quotes))
    await listener.up()
    await listener.minute()
    last, was_stale = quotes.find(0), quotes.is_stale(0)
    wire.is_silent = True  # nobody answers who comes again
    await wire.drop()
    await until(lambda: listener.changes()[-1:] == [False], listener.task)
    lost = quotes.is_stale(0)
    await listener.end()

    assert last == Quote(float(trades_of(FIRST_S + MINUTE_S)[0][1]))
    assert (was_stale, lost) == (False, True)


async def test_after_a_restart_it_goes_on_behind_the_last_told_bar(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire), after_ns=(FIRST_S - 3 * MINUTE_S) * NS)
    await listener.up()
    await listener.minute()
    await listener.end()

    listener.assert_whole(first_s=FIRST_S - 2 * MINUTE_S, count=3)


async def test_history_is_fetched_in_windows_the_venue_gives(wire: Wire) -> None:
    many = 950
    wire.trades = [
        (float(FIRST_S - n * MINUTE_S), str(30_000 + n), "0.5") for n in range(many, 0, -1)
    ]
    feed = feed_of(wire)

    bars = await feed.history(market=0, before_ns=FIRST_S * NS, count=700)
    everything = await feed.history(market=0, before_ns=FIRST_S * NS, count=2000)
    await feed.close()

    opens = [FIRST_S - n * MINUTE_S for n in range(700, 0, -1)]
    assert (bars["open_ns"] // NS).tolist() == opens
    assert len(everything) == many
    assert wire.most_rows <= 350


async def test_an_unknown_product_is_one_sentence(wire: Wire) -> None:
    listener = Listener(wire, feed_of(wire, symbols=["BTC/EUR"]))
    with pytest.raises(CannotTrade, match="does not list BTC/EUR; it lists BTC/USD"):
        await until(lambda: False, listener.task)
    await listener.feed.close()
