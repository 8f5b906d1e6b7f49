"""The customer of one day of the campaign, and what our journal says of it afterwards."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import psycopg
from django.db import connections
from django.db.models import Sum
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from tenants.scoping import tenant_scope
from trading import operations
from trading.chaos.checker import Books
from trading.chaos.temper import eager_params
from trading.chaos.venue import FUNDS, GRID
from trading.chaos.wires import SYMBOL
from trading.core import params as core_params
from trading.engine.slow import SLOW
from trading.models import Fill, Hold, Instrument, LedgerEntry, OrderIntent, Position

SIDES = {
    "kraken": ExchangeAccount.Venue.SIMULATOR,
    "coinbase": ExchangeAccount.Venue.SIMULATOR_COINBASE,
}


@dataclass(slots=True)
class Rows:
    """One customer with one engine."""

    tenant_id: UUID
    engine_id: UUID
    account_id: UUID
    cash: Decimal


def make_rows(slug: str, *, venue: str, with_limits: bool) -> Rows:
    """A customer of the venue who trades live there."""
    base, quote = SYMBOL.split("/")
    instrument, _ = Instrument.objects.get_or_create(
        venue=SIDES[venue],
        symbol=SYMBOL,
        defaults={
            "base": base,
            "quote": quote,
            "tick_size": GRID.tick_size,
            "lot_size": GRID.lot_size,
            "min_quantity": GRID.min_quantity,
            "min_notional": Decimal(5),
        },
    )
    now = timezone.now()
    owner = User.objects.create_user(f"{slug}@campaign.invalid")
    tenant = tenant_operations.create_tenant(name=slug, slug=slug, owner=owner, now=now)
    with tenant_scope(tenant.id):
        account = ExchangeAccount.objects.create(
            tenant=tenant,
            venue=SIDES[venue],
            mode=ExchangeAccount.Mode.LIVE,
            label="Campaign",
            quote_currency=quote,
        )
        cash = FUNDS[quote]
        operations.deposit_paper_funds(account=account, amount=cash, actor=None, now=now)
        operations.create_bot(
            account=account,
            name="Campaign",
            instruments=[instrument],
            timeframe_seconds=60,
            params=core_params.to_mapping(eager_params(with_limits=with_limits)),
            actor=None,
            now=now,
        )
        engine = operations.create_engine(account=account, speed="1")
        operations.start_engine(engine_id=engine.id, actor=None, now=now)
    return Rows(tenant.id, engine.id, account.id, cash)


def read_books(rows: Rows) -> Books:
    """Our journal, as the customer may read it."""
    with tenant_scope(rows.tenant_id):
        intents = list(OrderIntent.objects.filter(engine_id=rows.engine_id))
        fills = list(Fill.objects.filter(account_id=rows.account_id))
        entries = LedgerEntry.objects.filter(account_id=rows.account_id)
        sums = entries.values("posting", "currency").annotate(total=Sum("amount"))
        imbalance = sum((abs(one["total"]) for one in sums), Decimal(0))
        cash = entries.filter(book="ASSETS", currency="USD").aggregate(total=Sum("amount"))
        positions = Position.objects.filter(bot__account_id=rows.account_id)
        held = positions.aggregate(open=Sum("quantity"), dust=Sum("dust_quantity"))
    return Books(
        states={str(one.client_order_id): one.state for one in intents},
        epochs={str(one.client_order_id): one.epoch for one in intents},
        fills=[(f.venue_trade_id, (f.side, f.quantity, f.price, f.fee)) for f in fills],
        position=held["open"] or Decimal(0),
        dust=held["dust"] or Decimal(0),
        cash=cash["total"],
        imbalance=imbalance,
    )


def count_slow(rows: Rows) -> int:
    """How often entries waited for a slow journal."""
    with tenant_scope(rows.tenant_id):
        return Hold.objects.filter(engine_id=rows.engine_id, cause=SLOW).count()


def open_session() -> psycopg.Connection:
    """Another session of the app's role in this database."""
    parameters = connections["default"].get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port")
    chosen = {key: parameters[key] for key in wanted if parameters.get(key)}
    return psycopg.connect(**chosen, autocommit=True)


def cut_database() -> None:
    """End every session of the app's role in this database, as a crash of the server would."""
    with open_session() as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
            " AND datname = current_database() AND pid <> pg_backend_pid()"
        )
    connections.close_all()  # ours among them
