"""Prices no market can have never reach the engine; those it can have break no limit and no book."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from itertools import product

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import MINUTE_NS, random_bars
from tests.exchanges.street import LiveStreet, check_books, open_simulator, oracle
from tests.exchanges.test_kraken_feed import assert_whole, bars_of, feed_of, listen
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.core.bars import check_bars
from trading.engine.messages import BarClosed, PriceTick
from trading.engine.runner import Runner
from trading.exchanges import sockets, wire_feed
from trading.exchanges.candles import read_values
from trading.exchanges.caps import Caps
from trading.exchanges.coinbase import candles as at_coinbase
from trading.exchanges.kraken import candles as at_kraken
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.trade_candles import TradeCandles

NAMES = ("open", "high", "low", "close", "volume")
WORDS = ("NaN", "Infinity", "-Infinity", "1e400", "-1", "0", "", "x", "1e-320", "20000", "1e12")
CRASH = 60
ROADS = (KRAKEN, KRAKEN_SOCKET, COINBASE)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=5, max_size=5), max_size=20))
def test_whatever_a_venue_tells_only_bars_that_can_be_are_read(rows: list[list[str]]) -> None:
    by_name = [dict(zip(NAMES, row, strict=True)) for row in rows]
    told = {"XXBTZUSD": [[n * 60, *row[:4], "1", row[4], 1] for n, row in enumerate(rows)]}
    starts = [{**row, "start": str(n * 60)} for n, row in enumerate(by_name)]
    begun = [{**row, "symbol": "BTC/USD", "interval_begin": f"2026-01-01T00:{n:02}:00Z"}
             for n, row in enumerate(by_name)]  # fmt: skip

    bars = at_kraken.rest_candles(told, now_ns=10**18, timeframe_ns=MINUTE_NS)
    check_bars(bars)
    assert len(at_kraken.ws_candles(begun)) == len(bars)
    theirs = at_coinbase.rest_candles(starts, until_ns=10**18, timeframe_ns=MINUTE_NS)
    assert np.array_equal(theirs, bars)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), max_size=20))
def test_trades_that_cannot_be_make_no_bar(rows: list[tuple[str, str]]) -> None:
    told = [{"trade_id": str(n), "product_id": "BTC-USD", "time": "2026-01-01T00:00:01Z",
             "price": price, "size": size} for n, (price, size) in enumerate(rows)]  # fmt: skip

    for _, trade in at_coinbase.read_trades(told):
        made = TradeCandles(MINUTE_NS).add(trade)
        assert made is not None
        assert read_values(made[1]) == made[1]


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 1.6)
    monkeypatch.setattr(wire_feed, "LOOK_SECONDS", 0.01)
    made = await open_simulator(random_bars(2, 190))
    yield made
    await made.stop()


async def test_a_stream_that_tells_impossible_prices_spoils_no_bar_and_no_price(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.exchanges.test_kraken_feed.BARS", random_bars(2, 190))
    simulator.clock.jump(int(random_bars(2, 190)["open_ns"][100]))
    feed = feed_of(simulator)
    feed._with_ticks = True
    said = 0

    async def trouble(minute: int) -> None:
        nonlocal said
        open_ns = simulator.clock.now_ns() // MINUTE_NS * MINUTE_NS
        begin = f"{np.datetime64(open_ns, 'ns')}Z"
        for field, word in product(NAMES, ("NaN", "-5", "1e400", "-Infinity")):
            row = {**dict.fromkeys(NAMES, "20000"), "symbol": "BTC/USD",
                   "interval_begin": begin, field: word}  # fmt: skip
            frame = {"channel": "ohlc", "type": "update", "timestamp": begin, "data": [row]}
            for session in simulator.sessions:
                session.queue.put_nowait(msgspec.json.encode(frame))
                said += 1

    heard = await listen(simulator, feed, minutes=6, trouble=trouble)

    assert said > 100
    assert_whole(heard, simulator, least=100)
    assert all(0 < tick.price < 1e6 for tick in heard if isinstance(tick, PriceTick))
    assert any(isinstance(tick, PriceTick) for tick in heard)
    assert all(isinstance(bar, BarClosed) for bar in bars_of(heard))


def extreme_bars() -> np.ndarray:
    """A storm in which the market loses four fifths at once, stands still, is mad with volume, and
    comes back."""
    bars = stormy_bars(5, 200)
    prices = ("open", "high", "low", "close")
    for name in prices:
        bars[name][CRASH:120] *= 0.2
    for name in prices:
        bars[name][120:150] = bars["close"][119]
    bars["low"][CRASH] = bars["close"][CRASH]
    bars["open"][CRASH] = bars["high"][CRASH] = bars["close"][59]
    bars["volume"][120:150] = 0.0
    bars["volume"][150] = 1e12
    return bars


class Unhurried(LiveStreet):
    """Second by second while the stop that the crash jumps over is taken back: a token lasts ten."""

    is_crashing = False

    async def _before_bar(self, number: int) -> None:
        self.is_crashing = CRASH <= number <= CRASH + 3

    def pace(self, runner: Runner) -> Callable[[], int]:
        usual = super().pace(runner)
        return lambda: 1 if self.is_crashing else usual()


@pytest.mark.parametrize("wire", ROADS, ids=[wire.name for wire in ROADS])
async def test_a_crash_a_standstill_and_a_spike_break_no_limit_and_no_book(wire: Wire) -> None:
    bars = extreme_bars()
    check_bars(bars)
    simulator = await open_simulator(bars, wire=wire)
    street = Unhurried(simulator, eager_params(with_limits=False), bars, wire)
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()

    check_books(simulator, street)
    sent = oracle(simulator, "order")
    after = [one for one in sent if one["at_ns"] > int(bars["open_ns"][CRASH])]
    assert after, "nothing was traded after the crash"
    fills = oracle(simulator, "fill")
    largest = max(Decimal(one["price"]) * Decimal(one["quantity"]) for one in fills)
    assert largest <= Caps().max_notional
