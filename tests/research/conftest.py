"""A workspace and a few days of stored bars on which the active profile trades."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tenants.scoping import tenant_scope
from tests import factories
from tests.engine.fakes import random_bars
from trading.core.config.profiles import PROFILES
from trading.marketdata.store import BarStore
from trading.models import BacktestRun
from trading.operations import backtests, runs
from trading.research.requests import FOREVER_NS, BacktestRequest, ResearchRequest, Search
from trading.research.space import parse_dimension

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BARS = 6000
SPACE = ("confluence.min_score=0.2,0.3,0.4", "exits.stop_scale=2:8:2", "risk.cooldown_bars=5,30,60")


def clock() -> datetime:
    """Time stands still."""
    return NOW


def base(**changes: Any) -> BacktestRequest:
    """A request over everything stored."""
    values: dict[str, Any] = {
        "symbols": ("BTC/USD",),
        "venue": None,
        "timeframe_seconds": 60,
        "start_ns": 0,
        "end_ns": FOREVER_NS,
        "params": PROFILES["active"],
        "cash": Decimal(10_000),
    }
    return BacktestRequest(**{**values, **changes})


def search(**changes: Any) -> Search:
    """36 sets."""
    values: dict[str, Any] = {
        "space": tuple(map(parse_dimension, SPACE)),
        "sampler": "grid",
        "epochs": 30,
        "objective": "return",
        "min_trades": 1,
    }
    return Search(**{**values, **changes})


@pytest.fixture
def store(tmp_path: Path, settings) -> BarStore:
    """Random bars of two pairs, some four days of minutes."""
    settings.BARS_DIR = tmp_path / "bars"
    made = BarStore(settings.BARS_DIR)
    return made


def fill(store: BarStore) -> None:
    """Needs the database: every series has an instrument."""
    for seed, symbol in ((1, "BTC/USD"), (2, "ETH/USD")):
        factories.store_bars(random_bars(seed, BARS), store=store, venue="bitfinex", symbol=symbol)


@pytest.fixture
def tenant_id(db: None, store: BarStore) -> UUID:
    """A workspace, and bars."""
    fill(store)
    return factories.make_tenant("acme").id


@pytest.fixture
def ask(tenant_id: UUID) -> Callable[[ResearchRequest], BacktestRun]:
    """Store a request."""

    def make(request: ResearchRequest) -> BacktestRun:
        with tenant_scope(tenant_id):
            return backtests.request_run(tenant_id=tenant_id, request=request, actor=None, now=NOW)

    return make


def read(tenant_id: UUID, run_id: Any) -> BacktestRun:
    """The row as it stands."""
    with tenant_scope(tenant_id):
        return BacktestRun.objects.get(id=run_id)


def claim(tenant_id: UUID, run_id: Any, *, worker: str = "w1", now: datetime = NOW) -> Any:
    """Take a run."""
    with tenant_scope(tenant_id):
        return runs.claim_run(tenant_id=tenant_id, run_id=run_id, worker=worker, now=now)
