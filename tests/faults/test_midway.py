"""An engine that was stopped between a fill and the decision of its bar equals the backtest, too."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import uvloop

from tenants.scoping import tenant_scope
from tests.faults.test_journal import play
from trading.engine.batches import LedgerBatch
from trading.engine.handler import Ports
from trading.engine.watch import Rhythm
from trading.ledger.rows import to_ns
from trading.marketdata.store import BarStore, SeriesKey
from trading.models import Decision, Fill
from trading.wiring.engines import EngineProcess
from trading.wiring.parity import check_parity
from trading.wiring.plans import read_plan

pytestmark = pytest.mark.faults


class StoppedByFills:
    """A ledger whose engine is asked to stop while so many fills are committed."""

    def __init__(self, ledger: Any, count: int) -> None:
        self._ledger, self._left = ledger, count
        self.process: EngineProcess | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def commit(self, batch: LedgerBatch) -> None:
        self._left -= len(batch.fills)
        if self._left <= 0 and self.process is not None:
            self.process.runner.stop()
            await asyncio.sleep(0.05)  # who heard of it waits for the end of this turn by now
        await self._ledger.commit(batch)


def stop_at_fill(rows: Any, number: int) -> None:
    def around(ports: Ports) -> Ports:
        ledgers.append(StoppedByFills(ports.ledger, number))
        return replace(ports, ledger=ledgers[0])

    ledgers = list[StoppedByFills]()
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    process = EngineProcess(plan=plan, speed="max", rhythm=Rhythm(), around=around)
    ledgers[0].process = process
    uvloop.run(process.run())


def test_a_fill_whose_bar_is_not_decided_yet_is_in_the_backtest(street, settings) -> None:
    rows = street(2000)
    stop_at_fill(rows, 9)
    ids = {"tenant_id": str(rows.tenant_id), "engine_id": str(rows.engine_id)}
    with tenant_scope(rows.tenant_id):
        decided = Decision.objects.latest("bar_opened_at").bar_opened_at
        undecided = Fill.objects.get(filled_at__gt=decided)
    store, key = BarStore(settings.BARS_DIR), SeriesKey("bitfinex", "BTC/USD", 60)
    at_ns = to_ns(undecided.filled_at)
    (bar,) = store.iter_bars(key, start_ns=at_ns, end_ns=at_ns + 1)
    other = bar.copy()
    for price in ("open", "high", "low", "close"):
        other[price] *= 1.5

    midway = check_parity(**ids)
    store.merge(key, other)
    wrong = check_parity(**ids)
    store.merge(key, bar)
    play(rows)
    whole = check_parity(**ids)

    assert midway.is_equal, midway.differences
    assert midway.fills == 9
    (words,) = wrong.differences
    assert "is missing or differs" in words
    assert whole.is_equal, whole.differences
    assert whole.decisions > 1900
    assert whole.fills > 9
