"""A standby without the last commits is promoted: the next engine learns from the venue what was lost."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest

from tests.exchanges.street import (
    JournalWithNames,
    LiveStreet,
    check_books,
    open_simulator,
    oracle,
)
from tests.exchanges.test_kill_points import BARS, EXIT_FROM, live_until
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.core.codes import ExitReason, Purpose
from trading.engine.guards import BREAKER, OPERATOR, PAUSE
from trading.engine.lost import LOST_COMMITS
from trading.exchanges.simulator.server import Simulator

ROADS = (KRAKEN_SOCKET, COINBASE)
DEATHS = ("after_answer", "after_news_commit", "after_stop", "after_move",
          "after_exit", "before_sale_commit")  # fmt: skip
LAGS = {0: "knows no order", 1: "knows the entry", 2: "knows entry and stop"}


class Lagging(JournalWithNames):
    """Its standby stops to follow when another order than the first few is planned."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self.kept = kept
        self.standby: dict[str, Any] = {}

    async def commit(self, batch: Any) -> None:
        await super().commit(batch)
        if len(self.intents) <= self.kept:
            self.standby = deepcopy({k: v for k, v in vars(self).items() if k != "standby"})

    def promote(self) -> None:
        """As the lease leaves it on another timeline."""
        vars(self).update(deepcopy(self.standby))
        self.holds.add((BREAKER, LOST_COMMITS))


def leave_late(street: LiveStreet) -> None:
    def leave(number: int) -> None:
        if number >= EXIT_FROM and street.core is not None:
            street.core.request_exit(0, ExitReason.OPERATOR)

    street.before_bar = leave


def bought(simulator: Simulator) -> set[str]:
    return {one["client_id"] for one in oracle(simulator, "order") if one["side"] == "buy"}


@pytest.mark.parametrize("wire", ROADS, ids=[wire.name for wire in ROADS])
@pytest.mark.parametrize("kept", LAGS, ids=LAGS.values())
@pytest.mark.parametrize("death", DEATHS)
async def test_what_a_standby_never_saw_is_booked_and_nothing_is_sent_twice(
    wire: Wire, death: str, kept: int
) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    ledger = Lagging(kept)
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, wire, ledger)
    leave_late(street)
    try:
        await live_until(street, death, 1)
        before = bought(simulator)
        ledger.promote()
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    check_books(simulator, street)
    assert ledger.holds == {(OPERATOR, PAUSE)}, "entries are paused until somebody has looked"
    assert bought(simulator) == before != set()
    assert {one["side"] for one in oracle(simulator, "fill")} == {"buy", "sell"}


async def test_an_entry_that_rests_and_was_lost_is_taken_back() -> None:
    simulator = await open_simulator(BARS, wire=KRAKEN)
    ledger = Lagging(0)
    street = LiveStreet(simulator, eager_params(with_limits=True), BARS, KRAKEN, ledger)
    try:
        await live_until(street, "after_answer", 1)
        ledger.promote()
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    (entry, *_) = [order for order, _ in ledger.intents.values()]
    assert entry.purpose == Purpose.ENTRY
    assert len(bought(simulator)) == 1
    assert ledger.intents[0, entry.seq][1] == "DONE"
    check_books(simulator, street)
