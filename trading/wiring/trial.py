"""One trial of the engine over stored bars: undisturbed first, then killed, each against a backtest."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import uvloop
from django.db import connections
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from tenants.scoping import tenant_scope
from trading import operations
from trading.chaos.kills import Campaign, fork, run_campaign, wait
from trading.core import params as core_params
from trading.core.config.profiles import PROFILES
from trading.engine.runner import Outcome
from trading.marketdata.catalogue import GivenGrid, register_series
from trading.marketdata.grid import infer_grid, sample
from trading.marketdata.store import FOREVER, SeriesKey
from trading.models import BarSeries, Instrument
from trading.queries.bars import open_store
from trading.wiring.engines import EngineProcess
from trading.wiring.parity import Parity, check_parity
from trading.wiring.plans import read_plan
from trading.wiring.warm import warm_core

FUNDS = Decimal(10_000)
LONGEST_RUN_SECONDS = 3600.0
SAMPLE_BARS = 20_000


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """What to replay, with which bot, how often to kill."""

    pair: str
    venue: str
    span: tuple[datetime | None, datetime | None]
    profile: str
    kills: int
    seed: int
    grid: GivenGrid


def run_trial(request: TrialRequest) -> dict[str, Any]:
    """Run twice in fresh workspaces of the current database; the verdict as plain values.

    Raises:
        SeriesNotFound: no such bars are stored.
        KeyError: no such profile.
    """
    warm_core()
    calm = _make_engine(request, "calm")
    began = time.monotonic()
    pid = fork(calm.main)
    code = wait(pid, seconds=LONGEST_RUN_SECONDS)
    undisturbed = time.monotonic() - began
    first = calm.parity()
    shaken = _make_engine(request, "shaken")
    survived = run_campaign(Campaign(request.kills, request.seed, undisturbed), shaken.main)
    second = shaken.parity()
    return {
        "equal": code == 0 and first.is_equal and second.is_equal,
        "kills": survived.kills,
        "lives": survived.lives,
        "seconds": survived.seconds,
        "undisturbed_seconds": undisturbed,
        "decisions": second.decisions,
        "fills": second.fills,
        "differences": [*first.differences, *second.differences],
    }


def known_grid(*, venue: str, pair: str) -> GivenGrid:
    """The grid of an instrument of the current database; nothing given where it is unknown."""
    known = Instrument.objects.filter(venue=venue, symbol=pair).first()
    if known is None:
        return GivenGrid()
    return GivenGrid(known.tick_size, known.lot_size, known.min_quantity, known.min_notional)


@dataclass(frozen=True, slots=True)
class _Trial:
    """One engine of the trial."""

    tenant_id: str
    engine_id: str
    main: Callable[[], int]

    def parity(self) -> Parity:
        return check_parity(tenant_id=self.tenant_id, engine_id=self.engine_id)


def _make_engine(request: TrialRequest, slug: str) -> _Trial:
    series = _series(request)
    now = timezone.now()
    owner = User.objects.create_user(f"{slug}@trial.invalid")
    tenant = tenant_operations.create_tenant(name=slug, slug=slug, owner=owner, now=now)
    with tenant_scope(tenant.id):
        account = ExchangeAccount.objects.create(
            tenant=tenant,
            venue=ExchangeAccount.Venue.REPLAY,
            label="Trial",
            quote_currency=series.instrument.quote,
        )
        operations.deposit_paper_funds(account=account, amount=FUNDS, actor=None, now=now)
        operations.create_bot(
            account=account,
            name="Trial",
            instruments=[series.instrument],
            timeframe_seconds=series.timeframe_seconds,
            params=core_params.to_mapping(PROFILES[request.profile]),
            actor=None,
            now=now,
        )
        engine = operations.create_engine(account=account, speed="max")
        engine.replay_from, engine.replay_to = request.span
        engine.save(update_fields=["replay_from", "replay_to"])
    connections.close_all()  # no connection may cross a fork
    tenant_id, engine_id = str(tenant.id), str(engine.id)

    def main() -> int:
        plan = read_plan(tenant_id=tenant_id, engine_id=engine_id)
        outcome = uvloop.run(EngineProcess(plan=plan, speed="max").run())
        return 0 if outcome is Outcome.FINISHED else 1

    return _Trial(tenant_id, engine_id, main)


def _series(request: TrialRequest) -> BarSeries:
    """The finest stored series of the pair, with its index card in this database."""
    store = open_store()
    mine = [k for k in store.stored_keys() if (k.venue, k.symbol) == (request.venue, request.pair)]
    finest = min(mine, key=lambda k: k.timeframe_seconds, default=None)
    key = finest or SeriesKey(request.venue, request.pair, 60)
    bars = store.tail(key, before_ns=FOREVER, count=SAMPLE_BARS)
    return register_series(
        key=key,
        summary=store.summarize(key),
        inferred=infer_grid(sample(bars)),
        given=request.grid,
    )
