"""One factory per model, and the street of one engine."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from uuid import UUID

import numpy as np
from django.contrib.auth.hashers import get_hasher, make_password

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, Tenant, User
from tenants.scoping import tenant_scope
from trading import operations
from trading.core import params as core_params
from trading.core.config.profiles import PROFILES
from trading.marketdata.store import BarStore, SeriesKey
from trading.models import BarSeries, Engine, Instrument

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


def make_user(email: str) -> User:
    """A person with a verified address and the tests' password."""
    from allauth.account.models import EmailAddress

    user = User.objects.create(email=email, password=_hashed(get_hasher().algorithm))
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@cache
def _hashed(algorithm: str) -> str:
    """The password as rows keep it; production's algorithm takes a quarter of a second, by intent."""
    return make_password(PASSWORD, hasher=algorithm)


def make_tenant(slug: str, *, owner: User | None = None) -> Tenant:
    """A workspace with its owner."""
    owner = owner or make_user(f"olga@{slug}.example")
    return tenant_operations.create_tenant(name=slug.title(), slug=slug, owner=owner, now=NOW)


def make_instrument(venue: str = "synthetic", symbol: str = "BTC/USD") -> Instrument:
    """A pair on a grid like a real one."""
    base, quote = symbol.split("/")
    instrument, _ = Instrument.objects.get_or_create(
        venue=venue,
        symbol=symbol,
        defaults={
            "base": base,
            "quote": quote,
            "tick_size": Decimal("0.1"),
            "lot_size": Decimal("0.0001"),
            "min_quantity": Decimal("0.0001"),
            "min_notional": Decimal(5),
        },
    )
    return instrument


def store_bars(bars: np.ndarray, *, store: BarStore, venue: str, symbol: str) -> BarSeries:
    """Put one-minute bars into a store and make their index card."""
    key = SeriesKey(venue, symbol, 60)
    store.merge(key, bars)
    instrument = make_instrument(venue, symbol)
    first, last = (datetime.fromtimestamp(int(ns) / 1e9, tz=UTC) for ns in bars["open_ns"][[0, -1]])
    series, _ = BarSeries.objects.update_or_create(
        instrument=instrument,
        timeframe_seconds=60,
        defaults={
            "first_at": first,
            "last_at": last,
            "bars": len(bars),
            "missing": 0,
            "longest_gap_seconds": 60,
            "sha256": "0" * 64,
            "path": key.path,
        },
    )
    return series


@dataclass(frozen=True)
class EngineRows:
    """The rows of one engine, ready to run."""

    tenant_id: UUID
    slug: str
    engine_id: UUID
    account_id: UUID
    instrument: Instrument


def make_engine(
    slug: str,
    instrument: Instrument,
    *,
    venue: str = "replay",
    speed: str = "max",
    profile: str = "active",
    tenant: Tenant | None = None,
    label: str = "Paper",
) -> EngineRows:
    """A workspace with a funded paper account, a bot and an engine that should run."""
    tenant = tenant or make_tenant(slug)
    with tenant_scope(tenant.id):
        account = ExchangeAccount.objects.create(tenant=tenant, venue=venue, label=label)
        operations.deposit_paper_funds(account=account, amount=Decimal(10_000), actor=None, now=NOW)
        operations.create_bot(
            account=account,
            name="Bot",
            instruments=[instrument],
            timeframe_seconds=60,
            params=core_params.to_mapping(PROFILES[profile]),
            actor=None,
            now=NOW,
        )
        engine = operations.create_engine(account=account, speed=speed)
        operations.start_engine(engine_id=engine.id, actor=None, now=NOW)
        engine = Engine.objects.get(id=engine.id)
    return EngineRows(tenant.id, slug, engine.id, account.id, instrument)


def store_at(path: Path) -> BarStore:
    """A store of bars of a test's own."""
    return BarStore(path)
