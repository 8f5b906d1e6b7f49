"""How each account stands to its venue: is its engine there, what may its key, what came last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenants.models import ExchangeAccount, ExchangeCredential
from trading.models import Engine
from trading.queries.accounts import credential_of
from trading.queries.dashboard import last_bars
from trading.queries.markets import markets_by_account
from trading.queries.standing import SILENT_SECONDS


@dataclass(frozen=True, slots=True)
class Connection:
    """One account; ``engine`` None: it has none."""

    account: ExchangeAccount
    credential: ExchangeCredential | None
    engine: Engine | None
    last_bar_at: datetime | None
    is_connected: bool


def list_connections(*, now: datetime) -> Sequence[Connection]:
    """Every account, in a number of queries that does not grow with them."""
    accounts = list(
        ExchangeAccount.objects.select_related("credential", "engine").order_by(
            "venue", "label", "id"
        )
    )
    markets = markets_by_account([one.id for one in accounts])
    bars = last_bars([market for listed in markets.values() for market in listed])
    return [_connection(one, bars.get(one.id), now) for one in accounts]


def _connection(account: Any, last_bar_at: datetime | None, now: datetime) -> Connection:
    try:
        engine = account.engine
    except Engine.DoesNotExist:
        engine = None
    silent_since = now - timedelta(seconds=SILENT_SECONDS)
    return Connection(
        account=account,
        credential=credential_of(account),
        engine=engine,
        last_bar_at=last_bar_at,
        is_connected=engine is not None
        and engine.observed == Engine.Observed.RUNNING
        and engine.heartbeat_at is not None
        and engine.heartbeat_at >= silent_since,
    )
