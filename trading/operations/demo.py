"""The demo workspace: one owner, one paper account, one bot, one engine that should run."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from allauth.account.models import EmailAddress

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, ExchangeCredential, Tenant, User
from tenants.roles import Role
from tenants.scoping import staff_scope, tenant_scope
from trading.core import params as core_params
from trading.core.config.profiles import PROFILES
from trading.models import BarSeries, Engine, Instrument
from trading.operations.bots import create_bot
from trading.operations.engines import create_engine, start_engine, stop_engine
from trading.operations.funds import deposit_paper_funds
from trading.operations.instruments import ensure_invented_pair

SLUG = "demo"
EMAIL = "demo@novapulse.local"
FUNDS = Decimal(10_000)
DEMO_SYMBOL = "BTC/USD"
DEMO_BASE = DEMO_SYMBOL.split("/")[0]


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo is made of; the password only when it was made just now."""

    email: str
    password: str | None
    venue: str
    instrument: str


def ensure_demo(
    *,
    series: BarSeries | None,
    speed: str,
    now: datetime,
    venue: str = "simulator",
    simulator_key: tuple[str, str] | None = None,
) -> Demo:
    """Make what is missing of the demo and let the right engine run; safe to repeat.

    With a stored series its bars are replayed; without one it trades at ``venue``: on paper, or,
    given the simulator's key, with real orders there.
    """
    tenant, password = _ensure_owner(now=now)
    with tenant_scope(tenant.id):
        live = series is None and simulator_key is not None
        venue = "replay" if series else venue
        mode = ExchangeAccount.Mode.LIVE if live else ExchangeAccount.Mode.PAPER
        instrument = (
            series.instrument if series else ensure_invented_pair(venue=venue, base=DEMO_BASE)
        )
        timeframe = series.timeframe_seconds if series else 60
        engine = _ensure_engine(
            tenant, venue, instrument, mode=mode, timeframe_seconds=timeframe, speed=speed, now=now
        )
        if live and simulator_key is not None:
            _ensure_key(engine.account, simulator_key, now=now)
        others = Engine.objects.exclude(id=engine.id).filter(desired=Engine.Desired.RUNNING)
        for other in others:
            stop_engine(engine_id=other.id, actor=None, now=now)
        if engine.desired != Engine.Desired.RUNNING:
            start_engine(engine_id=engine.id, actor=None, now=now)
    return Demo(EMAIL, password, venue, str(instrument))


def _ensure_owner(*, now: datetime) -> tuple[Tenant, str | None]:
    with staff_scope():
        tenant = Tenant.objects.filter(slug=SLUG).first()
    if tenant is not None:
        return tenant, None
    password = secrets.token_urlsafe(12)
    user = User.objects.filter(email=EMAIL).first() or User(email=EMAIL)
    user.set_password(password)
    user.save()
    EmailAddress.objects.update_or_create(
        user=user, email=EMAIL, defaults={"verified": True, "primary": True}
    )
    tenant = tenant_operations.create_tenant(name="Demo", slug=SLUG, owner=user, now=now)
    return tenant, password


def _ensure_engine(
    tenant: Tenant,
    venue: str,
    instrument: Instrument,
    *,
    mode: ExchangeAccount.Mode,
    timeframe_seconds: int,
    speed: str,
    now: datetime,
) -> Engine:
    source = f" of {instrument.venue}" if venue == "replay" else ""
    label = f"Demo {instrument.symbol}{source}{', live orders' if mode == 'LIVE' else ''}"
    account = ExchangeAccount.objects.filter(venue=venue, label=label).first()
    if account is not None:
        return account.engine
    account = ExchangeAccount.objects.create(
        tenant_id=tenant.id,
        venue=venue,
        label=label,
        mode=mode,
        quote_currency=instrument.quote,
    )
    deposit_paper_funds(account=account, amount=FUNDS, actor=None, now=now)
    create_bot(
        account=account,
        name="Demo bot",
        instruments=[instrument],
        timeframe_seconds=timeframe_seconds,
        params=core_params.to_mapping(PROFILES["active"]),
        actor=None,
        now=now,
    )
    engine = create_engine(account=account, speed=speed)
    _audit(tenant, label, venue, instrument, now=now)
    return engine


def _ensure_key(account: ExchangeAccount, simulator_key: tuple[str, str], *, now: datetime) -> None:
    """Sealed once, and again when the simulator has made another."""
    key, secret = simulator_key
    wanted = tenant_operations.fingerprint_of(account.venue, key)
    kept = ExchangeCredential.objects.filter(account=account).first()
    if kept is None or kept.fingerprint != wanted:
        tenant_operations.seal_key(
            account_id=account.id, key=key, secret=secret, actor=None, now=now
        )


def _audit(
    tenant: Tenant, label: str, venue: str, instrument: Instrument, *, now: datetime
) -> None:
    tenant_operations.write_audit(
        tenant_id=tenant.id,
        actor=None,
        action="demo.create",
        subject=label,
        before={},
        after={"venue": venue, "instrument": str(instrument), "role": Role.OWNER.value},
        now=now,
    )
