"""Kraken confirms a cancel, and then tells that the order had filled."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.exchanges.street import KEY, LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import KRAKEN, KRAKEN_SOCKET, KRAKEN_SWITCH, Wire
from trading.engine.messages import Command
from trading.exchanges.simulator.faults import Fault

BARS = stormy_bars(5, 200)[:120]


@dataclass
class PausedOnce(LiveStreet):
    """A person pauses while the first entry rests, and goes on when the pause has been obeyed."""

    async def _before_bar(self, number: int) -> None:
        account = self.simulator.exchange.accounts[KEY]
        if not self.inbox.commands and any(order.rests for order in account.working()):
            self.simulator.exchange.faults.arm(Fault("late_fill", "CancelOrder", seconds=30))
            await self._obeyed("PAUSE")
            await self._obeyed("RESUME")

    async def _obeyed(self, kind: str) -> None:
        self.inbox.commands.append(Command(kind, kind, ""))
        async with asyncio.timeout(10):
            while kind not in self.ledger.outcomes:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("wire", [KRAKEN, KRAKEN_SOCKET, KRAKEN_SWITCH], ids=lambda one: one.name)
async def test_a_fill_after_the_cancel_was_confirmed_is_booked_and_protected(wire: Wire) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    street = PausedOnce(simulator, eager_params(with_limits=True), BARS, wire)
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()

    (met,) = simulator.exchange.faults.met
    assert met.kind == "late_fill"
    assert (
        "entries are held" not in street.ledger.reasons
    )  # it is not settled before its end is known
    cancelled = oracle(simulator, "order")[0]["client_id"]
    assert oracle(simulator, "fill")[0]["client_id"] == cancelled
    check_books(simulator, street)
