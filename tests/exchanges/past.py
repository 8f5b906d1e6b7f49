"""A simulated venue with a past of some thousand minutes, in a test's loop or in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tests.marketdata.samples import MINUTE_NS, make_bars
from trading.chaos.venue import GRID
from trading.exchanges.replay import ArrayBars
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.server import Simulator

SYMBOL = "BTC/USD"


def past_bars(count: int, *, start_ns: int | None = None) -> np.ndarray:
    """Bars on the simulator's grid, some minutes of which nobody traded in."""
    bars = make_bars(count) if start_ns is None else make_bars(count, start_ns=start_ns)
    for name in ("open", "high", "low", "close"):
        bars[name] = np.round(bars[name], 1)
    bars["volume"] = np.round(bars["volume"] + 0.1, 4)
    quiet = np.random.default_rng(5).random(count) < 0.01
    quiet[[0, -1]] = False
    return bars[~quiet]


def venue_of(bars: np.ndarray, *, symbols: tuple[str, ...] = (SYMBOL, "BTC/EUR")) -> Simulator:
    """A venue that stands half a minute into the last of these bars."""
    now_ns = int(bars["open_ns"][-1]) + MINUTE_NS // 2
    venue = Simulator(start_ns=now_ns)
    venue.clock.jump(now_ns)
    for symbol in symbols:
        grid = Grid(GRID.tick_size, GRID.lot_size, GRID.min_quantity, GRID.min_notional)
        venue.list_pair(symbol, source=ArrayBars(bars), grid=grid)
    return venue


@contextmanager
def listening(venue: Simulator) -> Iterator[Simulator]:
    """The venue in a thread, for a test that is no coroutine."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(venue.start(), loop).result(10)
    try:
        yield venue
    finally:
        asyncio.run_coroutine_threadsafe(venue.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def assert_same(stored: np.ndarray, market: np.ndarray) -> None:
    """The same bars; a volume may differ in the last digits of a sum."""
    for name in ("open_ns", "open", "high", "low", "close"):
        assert stored[name].tolist() == market[name].tolist()
    np.testing.assert_allclose(stored["volume"], market["volume"], rtol=1e-12)
