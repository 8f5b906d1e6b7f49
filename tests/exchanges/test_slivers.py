"""Every order fills a lot or a few at a time: each sliver is booked once, and stops follow what is held."""

import asyncio

import pytest

from tests.exchanges.street import LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.exchanges.simulator.market import LEVELS, Level, PairMarket

BARS = stormy_bars(5, 140)[:70]  # an entry, and its end by a stop
ROADS = ((KRAKEN, 1), (KRAKEN_SOCKET, 1), (COINBASE, 8))  # lots at a time


class Slivers(PairMarket):
    """A book of slivers, each of so many lots."""

    lots = 1

    def book(self, depth: int = LEVELS) -> tuple[list[Level], list[Level]]:
        sides = PairMarket.book(self, 1)
        bids, asks = ([(price, self.grid.lot_size * self.lots)] * 600 for ((price, _),) in sides)
        return bids, asks


@pytest.mark.parametrize(("wire", "lots"), ROADS, ids=[wire.name for wire, _ in ROADS])
async def test_hundreds_of_slivers_are_each_booked_once_and_the_stop_follows(
    wire: Wire, lots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Slivers, "lots", lots)
    simulator = await open_simulator(BARS, wire=wire)
    ((symbol, market),) = simulator.exchange.markets.items()
    simulator.exchange.markets[symbol] = Slivers(symbol, market.source, market.grid)
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, wire)
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()

    fills = oracle(simulator, "fill")
    assert len(fills) > 800 / lots
    assert {fill["side"] for fill in fills} == {"buy", "sell"}
    check_books(simulator, street)
