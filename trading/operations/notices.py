"""Tell people what happened: reads the rows that are written anyway, so no engine waits for it."""

from datetime import date, datetime
from uuid import UUID

from tenants.models import ExchangeAccount, Notice
from tenants.notifications.acts import tell_acts, tell_expiries
from tenants.notifications.cursors import read_cursor, write_cursor
from tenants.notifications.delivering import repeat_unacknowledged
from tenants.notifications.outbox import mark_over, tell
from trading.models import Engine
from trading.queries import news


def tell_news(*, tenant_id: UUID, now: datetime) -> int:
    """Everything new in the workspace in scope, in the open transaction; how many notices it made."""
    told = tell(
        [*news.read_alerts(now=now), *news.read_holds(now=now)], tenant_id=tenant_id, now=now
    )
    _end_alerts(now=now)
    for engine in Engine.objects.select_related("account").order_by("id"):
        told += _tell_engine(engine, now=now)
    for account_id in ExchangeAccount.objects.order_by("id").values_list("id", flat=True):
        told += _tell_fills(tenant_id, account_id, now=now)
    told += tell_acts(tenant_id=tenant_id, now=now)
    told += tell_expiries(tenant_id=tenant_id, now=now)
    repeat_unacknowledged(now=now)
    return told


def _end_alerts(*, now: datetime) -> None:
    standing = Notice.objects.filter(key__startswith=news.ALERT, over_at=None)
    ids = [key.removeprefix(news.ALERT) for key in standing.values_list("key", flat=True)]
    if ids:
        mark_over(keys=news.list_over(ids), now=now)


def _tell_engine(engine: Engine, *, now: datetime) -> int:
    source = f"engine:{engine.id}"
    seen = read_cursor(source) or (0, "")
    found = [*news.read_leader(engine, seen=seen, now=now), *news.read_down(engine, now=now)]
    if engine.epoch > seen[0]:
        write_cursor(source, engine.epoch, tenant_id=engine.tenant_id, detail=engine.host)
    if engine.observed not in news.DOWN:
        fallen = Notice.objects.filter(key__startswith=f"down:{engine.id}:", over_at=None)
        mark_over(keys=fallen.values_list("key", flat=True), now=now)
    return tell(found, tenant_id=engine.tenant_id, now=now)


def _tell_fills(tenant_id: UUID, account_id: UUID, *, now: datetime) -> int:
    source = f"fills:{account_id}"
    position, _ = read_cursor(source) or (0, "")
    fills = news.fills_after(account_id, position=position)
    if not fills:
        return 0
    write_cursor(source, fills[-1].id, tenant_id=tenant_id)
    return tell(news.read_fills(fills, now=now), tenant_id=tenant_id, now=now)


def tell_day(*, tenant_id: UUID, day: date, now: datetime) -> int:
    """The summary of one day (UTC), once."""
    return tell(news.read_day(day=day, now=now), tenant_id=tenant_id, now=now)
