"""What the journal has of the core's memory is the memory itself, though only changes are written."""

from dataclasses import replace

import msgspec
import pytest

from tests.engine.fakes import MemoryLedger, Street, random_bars
from tests.engine.test_runner import ACTIVE, run
from trading.engine.batches import LedgerBatch
from trading.engine.handler import Pace
from trading.engine.state import CoreState

EACH = Pace(decisions_per_commit=1, seconds_per_commit=1e9)


class WatchedLedger(MemoryLedger):
    """Compares the journal with the core after each commit."""

    def __init__(self) -> None:
        super().__init__()
        self.core: CoreState | None = None
        self.brought: list[list[int]] = []

    async def commit(self, batch: LedgerBatch) -> None:
        await super().commit(batch)
        assert self.core is not None
        assert batch.snapshot is not None
        markets, account = self.core.dump()
        assert b"".join(one.record for one in self.snapshot.markets) == markets
        assert self.snapshot.account == account
        for m, one in enumerate(self.snapshot.markets):
            assert msgspec.json.decode(one.portable) == msgspec.to_builtins(
                self.core.portable_market(m)
            )
        self.brought.append([one.market for one in batch.snapshot.markets])


def watched(series: list, ledger: WatchedLedger, pace: Pace = EACH) -> Street:
    street = Street(series, ACTIVE, ledger=ledger, pace=pace)
    ledger.core = street.core
    return street


@pytest.mark.parametrize("decisions", [1, 7])
def test_after_every_commit_the_journal_has_the_core_byte_for_byte(decisions: int) -> None:
    ledger = WatchedLedger()

    run(watched([random_bars(1, 900), random_bars(2, 700)], ledger,
                Pace(decisions_per_commit=decisions, seconds_per_commit=1e9)))  # fmt: skip

    assert ledger.fills
    assert ledger.commits > 1000 / decisions


def test_a_market_that_hears_nothing_more_is_not_written_again() -> None:
    ledger = WatchedLedger()

    run(watched([random_bars(1, 60), random_bars(2, 5)], ledger))

    assert ledger.brought[0] == [0, 1]
    assert all(brought in ([0], []) for brought in ledger.brought[-50:])
    assert [0] in ledger.brought[-50:]


def test_a_restart_writes_nothing_that_the_journal_has() -> None:
    series = [random_bars(1, 80), random_bars(2, 80)]
    ledger = WatchedLedger()
    run(watched(series, ledger))
    ledger.brought.clear()

    run(watched(series, ledger))

    assert ledger.brought
    assert not any(ledger.brought)


def test_another_core_writes_every_market_anew() -> None:
    series = [random_bars(1, 80), random_bars(2, 80)]
    ledger = WatchedLedger()
    run(watched(series, ledger))
    ledger.core_hash = "0" * 64
    ledger.brought.clear()

    run(watched(series, ledger))

    assert ledger.brought[0] == [0, 1]


def test_a_snapshot_of_too_few_markets_is_refused() -> None:
    series = [random_bars(1, 20), random_bars(2, 20)]
    ledger = WatchedLedger()
    run(watched(series, ledger))
    ledger.snapshot = replace(ledger.snapshot, markets=ledger.snapshot.markets[:1])

    with pytest.raises(ValueError, match="the snapshot has 1 markets, the engine 2"):
        run(watched(series, ledger))
