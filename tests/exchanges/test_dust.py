"""A sale that leaves less than the venue's least order: the rest leaves the books, and stays the account's."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.fakes import Crash, spec
from tests.exchanges import street as streets
from tests.exchanges.street import FUNDS, GRID, KEY, LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, SYMBOL, Wire
from trading.core.codes import ExitReason
from trading.engine.batches import EngineState, LedgerBatch
from trading.engine.guards import BREAKER
from trading.engine.ports import Ledger
from trading.engine.watch import Rhythm
from trading.exchanges.simulator.market import LEVELS, Level, PairMarket

BARS = stormy_bars(5, 140)
WIRES = (KRAKEN, KRAKEN_SOCKET, COINBASE)
LEAST, SHORT = 10, 3  # lots: of an order, and by which the bids fall short of what is held
ALL = pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES])


class Shallow(PairMarket):
    """Its bids take all but a few lots of what the customer has bought and not written off."""

    street: LiveStreet

    def book(self, depth: int = LEVELS) -> tuple[list[Level], list[Level]]:
        bids, asks = PairMarket.book(self, depth)
        account = self.street.simulator.exchange.accounts[KEY]
        claimed = account.balances["BTC"] - FUNDS["BTC"] - written_off(self.street)
        room = claimed - SHORT * self.grid.lot_size
        return ([(bids[0][0], room)] if room > 0 else bids), asks


def written_off(street: LiveStreet) -> Decimal:
    return sum(one.quantity_lots for one in street.ledger.write_offs) * GRID.lot_size


@pytest.fixture(autouse=True)
def larger_orders_only(monkeypatch: pytest.MonkeyPatch) -> None:
    least = LEAST * GRID.lot_size
    monkeypatch.setattr(streets, "spec", lambda: replace(spec(), min_quantity=least))


async def open_street(wire: Wire, **given: Any) -> LiveStreet:
    simulator = await open_simulator(BARS, wire=wire)
    market = simulator.exchange.markets[SYMBOL]
    grid = replace(market.grid, min_quantity=LEAST * GRID.lot_size)
    shallow = Shallow(SYMBOL, market.source, grid)
    simulator.exchange.markets[SYMBOL] = shallow
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, wire, **given)
    shallow.street = street
    ask_out_often(street)
    return street


def ask_out_often(street: LiveStreet) -> None:
    """A person wants out every few bars: Coinbase's stops are limits that wait for their rest."""

    def ask(number: int) -> None:
        if number % 12 == 0 and street.core is not None:
            street.core.request_exit(0, ExitReason.OPERATOR)

    street.before_bar = ask


async def play(street: LiveStreet) -> None:
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await street.simulator.stop()


@ALL
async def test_the_rest_of_each_trade_is_written_off_and_the_next_begins_flat(wire: Wire) -> None:
    street = await open_street(wire, rhythm=Rhythm(look=0.02, confirm=0.01))

    await play(street)

    dust = street.ledger.write_offs
    assert len(dust) > 1
    assert {one.quantity_lots for one in dust} == {SHORT}
    bought = [one for one in oracle(street.simulator, "order") if one["side"] == "buy"]
    assert len(bought) >= len(dust)
    check_books(street.simulator, street)
    refused = [order for order, state in street.ledger.intents.values() if state == "REFUSED"]
    assert len(refused) <= 2 * len(dust)  # it was not asked for again and again
    assert not [cause for kind, cause in street.ledger.holds if kind == BREAKER]
    account = street.simulator.exchange.accounts[KEY]
    assert account.balances["BTC"] >= FUNDS["BTC"] + written_off(street)


@dataclass
class Dying:
    """A journal whose process dies once, around the first commit that writes dust off."""

    journal: Ledger
    is_before: bool
    has_died: bool = False

    async def load(self) -> EngineState:
        return await self.journal.load()

    async def commit(self, batch: LedgerBatch) -> None:
        now = bool(batch.write_offs) and not self.has_died
        self.has_died = self.has_died or now
        if now and self.is_before:
            raise Crash
        await self.journal.commit(batch)
        if now:
            raise Crash


@ALL
@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
async def test_a_death_around_the_write_off_leaves_one(wire: Wire, is_before: bool) -> None:
    street = await open_street(wire)
    dying = Dying(street.ledger, is_before)
    street.around = lambda ports: replace(ports, ledger=dying)
    try:
        with pytest.raises(Crash):
            await asyncio.wait_for(street.run(), 120)
        assert len(street.ledger.write_offs) == (not is_before)
        await asyncio.wait_for(street.run(), 120)
    finally:
        await street.simulator.stop()

    dust = street.ledger.write_offs
    assert len(dust) > 1
    assert {one.quantity_lots for one in dust} == {SHORT}
    check_books(street.simulator, street)
