"""A customer changes our resting orders by hand: told, and put right through the ordinary path."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from tests.exchanges.street import GRID, KEY, LiveStreet, differences, open_simulator
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.engine.watch import Rhythm
from trading.exchanges.simulator.accounts import LIMIT, STOP, STOP_LIMIT, Order

BARS = stormy_bars(5, 140)[:70]
QUICK = Rhythm(look=0.05, confirm=0.02)
WIRES = pytest.mark.parametrize("wire", [KRAKEN, KRAKEN_SOCKET, COINBASE], ids=lambda one: one.name)
OVERSOLD = "more was offered for sale than was bought"


@dataclass
class Meddled(LiveStreet):
    """Once, an order of ours that rests is changed at the venue; then it is looked at until it is right."""

    kinds: tuple[str, ...] = (STOP, STOP_LIMIT)
    quantity: Callable[[Decimal], Decimal] = lambda quantity: quantity
    ticks: int = 0  # nearer to the market
    wanted: Callable[["Meddled", Order], bool] = lambda street, order: True
    changed: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    async def _before_bar(self, number: int) -> None:
        account = self.simulator.exchange.accounts[KEY]
        resting = [one for one in account.working() if one.kind in self.kinds]
        if self.changed or not resting:
            return
        self.changed.append(resting[0].order_id)
        self._change(resting[0])
        async with asyncio.timeout(20):
            while not (self._is_right() and self._is_lifted()):
                self.held |= {cause for _, cause in self.ledger.holds}
                await asyncio.sleep(0.001)

    def _change(self, order: Order) -> None:
        exchange = self.simulator.exchange
        quantity, nearer = self.quantity(order.quantity), self.ticks * GRID.tick_size
        if self.wire is not COINBASE:
            assert order.price is not None
            account = exchange.accounts[KEY]
            exchange.amend(account, order, quantity=quantity, price=order.price + nearer)
            return
        ticket = self.simulator.coinbase.rest.desk.tickets[order.order_id]
        (settings,) = ticket.configuration.values()
        order.quantity = quantity
        settings["base_size"] = str(quantity)
        name, level = ("stop_price", order.stop) if order.stop else ("limit_price", order.price)
        assert level is not None
        settings[name] = str(level + nearer)
        if order.stop:
            order.stop += nearer
        else:
            order.price = level + nearer

    def _is_lifted(self) -> bool:
        return not any(cause.startswith("changed:") for _, cause in self.ledger.holds)

    def _is_right(self) -> bool:
        working = self.simulator.exchange.accounts[KEY].working()
        resting = [one for one in working if one.kind in self.kinds]
        return self.wanted(self, resting[0]) if resting else self.wanted(self, NOTHING)

    @property
    def position(self) -> Decimal:
        assert self.core is not None
        return int(self.core.markets[0]["position"]["quantity_lots"]) * GRID.lot_size

    @property
    def stop(self) -> Decimal:
        """The trigger of the core."""
        assert self.core is not None
        return int(self.core.markets[0]["position"]["stop_ticks"]) * GRID.tick_size


NOTHING = Order("", "", "", "", "", Decimal(0), None, False, 0)


def is_ours_again(street: Meddled, order: Order) -> bool:
    """One stop rests, with the position's own quantity and trigger."""
    trigger = order.stop if order.stop is not None else order.price
    return (order.quantity, trigger) == (street.position, street.stop)


async def meddle(street: Meddled) -> None:
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await street.simulator.stop()


def words_of(street: Meddled) -> list[str]:
    return [told["words"] for key, told in street.sink.latest.items() if "alert" in key]


@WIRES
@pytest.mark.parametrize(
    ("quantity", "ticks"),
    [(Decimal("0.5"), 0), (Decimal(1), -200), (Decimal("0.5"), 20), (Decimal(2), 0)],
    ids=["smaller", "looser", "smaller and tighter", "larger"],
)
async def test_a_stop_changed_by_hand_is_told_and_put_right(
    wire: Wire, quantity: Decimal, ticks: int
) -> None:
    def scaled(had: Decimal) -> Decimal:
        return (had * quantity).quantize(GRID.lot_size)

    simulator = await open_simulator(BARS, wire=wire)
    params = eager_params(with_limits=False)
    street = Meddled(
        simulator, params, BARS, wire, rhythm=QUICK,
        quantity=scaled, ticks=ticks, wanted=is_ours_again,
    )  # fmt: skip
    await meddle(street)

    assert street.changed
    assert street.held == {"changed:BTC/USD"}
    (words,) = words_of(street)
    assert f"our stop {street.changed[0]} was changed at the venue" in words
    allowed = [OVERSOLD] if quantity > 1 else []
    assert [one for one in differences(simulator, street) if one not in allowed] == []


@WIRES
async def test_a_stop_made_tighter_by_hand_is_kept_and_trailed_from(wire: Wire) -> None:
    before = list[Decimal]()

    def is_kept(street: Meddled, order: Order) -> bool:
        if not before:
            before.append(street.stop)
        return is_ours_again(street, order) and street.stop == before[0] + 20 * GRID.tick_size

    simulator = await open_simulator(BARS, wire=wire)
    params = eager_params(with_limits=False)
    street = Meddled(simulator, params, BARS, wire, rhythm=QUICK, ticks=20, wanted=is_kept)
    await meddle(street)

    assert before
    assert street.held == set()
    assert words_of(street) == []
    assert differences(simulator, street) == []


@pytest.mark.parametrize("wire", [KRAKEN, KRAKEN_SOCKET], ids=lambda one: one.name)
async def test_kraken_tells_of_it_and_it_is_looked_at_at_once(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.exchanges.kraken.live.GRACE_SECONDS", 0.1)
    never_by_itself = Rhythm(look=3600, confirm=0.02)
    simulator = await open_simulator(BARS, wire=wire)
    params = eager_params(with_limits=False)
    street = Meddled(
        simulator, params, BARS, wire, rhythm=never_by_itself, ticks=-200, wanted=is_ours_again
    )
    await meddle(street)

    assert street.held == {"changed:BTC/USD"}
    assert differences(simulator, street) == []


@WIRES
async def test_an_entry_changed_by_hand_is_taken_back(wire: Wire) -> None:
    def is_gone(street: Meddled, order: Order) -> bool:
        return order is NOTHING

    simulator = await open_simulator(BARS, wire=wire)
    params = eager_params(with_limits=True)
    street = Meddled(
        simulator, params, BARS, wire, rhythm=QUICK, kinds=(LIMIT,),
        quantity=lambda had: 2 * had, ticks=-50, wanted=is_gone,
    )  # fmt: skip
    await meddle(street)

    assert street.changed
    assert street.held == {"changed:BTC/USD"}
    assert "changed at the venue" in street.ledger.reasons
    assert "it is taken back" in words_of(street)[0]
    assert differences(simulator, street) == []
