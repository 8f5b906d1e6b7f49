"""A journal whose commits take long: told, entries wait, what protects goes, and it is lifted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.engine.test_lag import Alerts
from tests.exchanges.street import JournalWithNames, LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.core.codes import Purpose
from trading.engine import slow
from trading.engine.batches import LedgerBatch
from trading.engine.messages import OrderRequest
from trading.engine.watch import Rhythm
from trading.exchanges.simulator.server import Simulator

BARS = stormy_bars(5, 140)[:90]
HOLD = ("BREAKER", slow.SLOW)
RHYTHM = Rhythm(look=0.05, confirm=0.02, most_commit=1.0)
TAKES_SECONDS, PASS_NS = 2.0, 11_000_000_000  # here, and at the venue: more than an order's life


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "LOOK_SECONDS", 0.05)


class SlowLedger(JournalWithNames):
    """Takes long over the first orders of a kind."""

    def __init__(self, purposes: set[Purpose], most: int, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self.purposes, self.left, self.meanwhile = purposes, most, meanwhile
        self.sink = Alerts()
        self.late: list[OrderRequest] = []
        self.told_meanwhile: list[str] = []
        self.placed = 0

    async def commit(self, batch: LedgerBatch) -> None:
        late = [one for one in batch.intents if one.purpose in self.purposes]
        if late and self.left:
            self.left -= 1
            self.late += late
            self.meanwhile()
            await asyncio.sleep(TAKES_SECONDS)
            self.told_meanwhile += self.sink.alerts
        await super().commit(batch)
        self.placed += any(hold.open and hold.cause == slow.SLOW for hold in batch.holds)


@dataclass
class SlowStreet(LiveStreet):
    """Goes on to the next bar when no hold of the journal stands."""

    async def _before_bar(self, number: int) -> None:
        await super()._before_bar(number)
        await asyncio.sleep(0.06)
        while HOLD in self.ledger.holds:
            await asyncio.sleep(0.02)


async def play(purposes: set[Purpose], *, most: int) -> tuple[SlowStreet, SlowLedger, Simulator]:
    """A day; its engine, its journal and the venue."""
    simulator = await open_simulator(BARS)

    def time_passes() -> None:
        simulator.clock.jump(simulator.clock.now_ns() + PASS_NS)

    ledger = SlowLedger(purposes, most, time_passes)
    params = eager_params(with_limits=False)
    street = SlowStreet(simulator, params, BARS, ledger=ledger, sink=ledger.sink, rhythm=RHYTHM)
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()
    return street, ledger, simulator


async def test_an_entry_whose_commit_took_long_is_not_sent_and_the_next_one_is() -> None:
    street, ledger, simulator = await play({Purpose.ENTRY}, most=1)

    (entry,) = ledger.late
    asked = {one["client_id"] for one in oracle(simulator, "order")}
    assert ledger.intents[entry.market, entry.seq][1] == "EXPIRED"
    assert entry.client_order_id not in asked
    (reason,) = [one for one in ledger.reasons if one.startswith("not sent: the database took")]
    assert reason.endswith(" s for a commit, accepted is 1 s")
    later = [o for o, _ in ledger.intents.values() if o.purpose == Purpose.ENTRY and o != entry]
    assert asked & {one.client_order_id for one in later}, "it never entered again"
    assert any("s for a commit" in words for words in ledger.told_meanwhile), "told afterwards"
    assert ledger.placed >= 1
    assert HOLD not in ledger.holds
    check_books(simulator, street)


async def test_stops_are_sent_however_long_their_commits_took() -> None:
    street, ledger, simulator = await play({Purpose.PROTECT}, most=2)

    asked = {one["client_id"] for one in oracle(simulator, "order")}
    assert len(ledger.late) == 2
    assert {one.client_order_id for one in ledger.late} <= asked
    assert not [reason for reason in ledger.reasons if reason.startswith("not sent")]
    assert ledger.placed >= 1
    assert HOLD not in ledger.holds
    check_books(simulator, street)
