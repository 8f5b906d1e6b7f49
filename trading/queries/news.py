"""What trading's rows are worth telling people: alerts, holds, engines, positions, the day."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db.models import Exists, OuterRef, Q, Sum

from tenants.notifications.news import Kind, News, Severity
from trading.models import Alert, Engine, Fill, Hold, Position
from trading.queries.dust import dust_words

LOOK_BACK = timedelta(days=1)
MOST_FILLS = 200
ALERT = "alert:"  # how the key of an alert's notice begins
DOWN = {Engine.Observed.FAILED: "failed", Engine.Observed.SILENT: "silent"}


def read_alerts(*, now: datetime) -> Iterator[News]:
    """Breakers that tripped, and engines that were parked."""
    recent = Alert.objects.select_related("engine__account").filter(raised_at__gt=now - LOOK_BACK)
    for one in recent.order_by("raised_at", "id"):
        yield News(
            key=f"{ALERT}{one.id}",
            kind=Kind.ALERT,
            severity=Severity.CRITICAL,
            title=f"{one.engine.account.label}: {one.cause}",
            words=one.words,
            path=_page(one.engine),
            happened_at=one.raised_at,
        )


def read_holds(*, now: datetime) -> Iterator[News]:
    """Holds placed and lifted; placing a breaker's is told by its alert."""
    since = now - LOOK_BACK
    recent = Hold.objects.select_related("engine__account").filter(
        Q(placed_at__gt=since) | Q(cleared_at__gt=since)
    )
    for one in recent.order_by("placed_at", "id"):
        if one.kind != Hold.Kind.BREAKER and one.placed_at > since:
            yield _hold(one, "hold", f"entries on hold: {one.cause}", one.placed_at)
        if one.cleared_at is not None:
            yield _hold(one, "lifted", f"hold lifted: {one.cause}", one.cleared_at)


def _hold(one: Hold, what: str, words: str, at: datetime) -> News:
    is_meant = what == "lifted" or one.kind == Hold.Kind.OPERATOR
    return News(
        key=f"{what}:{one.id}",
        kind=Kind.HOLD,
        severity=Severity.INFO if is_meant else Severity.WARNING,
        title=f"{one.engine.account.label}: {words}",
        words=one.reason,
        path=_page(one.engine),
        happened_at=at,
    )


def list_over(alert_ids: Sequence[str]) -> list[str]:
    """Of these alerts the keys of those whose hold is lifted, or whose parked engine runs again."""
    lifted = Hold.objects.filter(
        engine=OuterRef("engine"),
        kind=Hold.Kind.BREAKER,
        cause=OuterRef("cause"),
        placed_at=OuterRef("raised_at"),
        cleared_at__isnull=False,
    )
    runs_again = Q(cause="crashes", engine__observed=Engine.Observed.RUNNING)
    over = Alert.objects.filter(Q(Exists(lifted)) | runs_again, id__in=alert_ids)
    return [f"{ALERT}{one}" for one in over.values_list("id", flat=True)]


def read_down(engine: Engine, *, now: datetime) -> Iterator[News]:
    """An engine that should run and does not; one news per fall."""
    if engine.desired != Engine.Desired.RUNNING or engine.observed not in DOWN:
        return
    what = DOWN[Engine.Observed(engine.observed)]
    beat = f"{engine.heartbeat_at:%Y%m%dT%H%M%S%f}" if engine.heartbeat_at else "never"
    fall = sha256(f"{engine.epoch}|{beat}|{engine.detail}".encode()).hexdigest()[:16]
    yield News(
        key=f"down:{engine.id}:{fall}",
        kind=Kind.ENGINE,
        severity=Severity.CRITICAL,
        title=f"{engine.account.label}: the engine is {what}",
        words=f"{engine.detail}. Stops that rest at the venue stay there.",
        path=_page(engine),
        happened_at=now,
    )


def read_leader(engine: Engine, *, seen: tuple[int, str], now: datetime) -> Iterator[News]:
    """A new leadership: the engine was started, or another host took it over."""
    epoch, host = seen
    if engine.epoch <= epoch:
        return
    is_takeover = host not in ("", engine.host)
    words = f"taken over from {host} by {engine.host}" if is_takeover else f"on {engine.host}"
    yield News(
        key=f"leader:{engine.id}:{engine.epoch}",
        kind=Kind.ENGINE,
        severity=Severity.WARNING if is_takeover else Severity.INFO,
        title=f"{engine.account.label}: the engine {'moved' if is_takeover else 'started'}",
        words=f"Epoch {engine.epoch}, {words}.",
        path=_page(engine),
        happened_at=now,
    )


def fills_after(account_id: Any, *, position: int) -> list[Fill]:
    """An account's fills since one, in order; of very many the newest. Its one writer numbers them."""
    news = Fill.objects.filter(account_id=account_id, id__gt=position)
    wide = news.select_related("order__intent__instrument", "account", "order__intent__engine")
    return list(wide.order_by("-id")[:MOST_FILLS])[::-1]


def read_fills(fills: list[Fill], *, now: datetime) -> Iterator[News]:
    """Each fill, and the positions they opened and closed."""
    for fill in fills:
        intent = fill.order.intent
        yield News(
            key=f"fill:{fill.id}",
            kind=Kind.FILL,
            severity=Severity.INFO,
            title=f"{fill.account.label}: {fill} {intent.instrument.symbol}",
            words=f"For {intent.get_purpose_display()}; market time {fill.filled_at:%Y-%m-%d %H:%M} UTC.",
            path="/history/fills/",
            happened_at=now,
        )
    times = [fill.filled_at for fill in fills]
    moved = Position.objects.select_related("instrument", "bot__account").filter(
        Q(opened_at__in=times) | Q(closed_at__in=times),
        bot__in={fill.order.intent.bot_id for fill in fills},
    )
    for one in moved.order_by("opened_at", "id"):
        if one.opened_at in times:
            yield _opened(one, now)
        if one.closed_at in times:
            yield _closed(one, now)


def _opened(one: Position, now: datetime) -> News:
    return News(
        key=f"opened:{one.id}",
        kind=Kind.POSITION,
        severity=Severity.INFO,
        title=f"{one.bot.account.label}: {one.side.lower()} {one.instrument.symbol} opened",
        words=f"At {one.entry_price.normalize():f}; market time {one.opened_at:%Y-%m-%d %H:%M} UTC.",
        path="/history/positions/",
        happened_at=now,
    )


def _closed(one: Position, now: datetime) -> News:
    currency, pair = one.bot.account.quote_currency, one.instrument
    dust = dust_words(one.dust_quantity, pair.base, one.dust_cost, pair.quote)
    return News(
        key=f"closed:{one.id}",
        kind=Kind.POSITION,
        severity=Severity.INFO,
        title=f"{one.bot.account.label}: {one.side.lower()} {one.instrument.symbol} closed, "
        f"{one.realized_pnl:+,.2f} {currency}",
        words=f"By {one.get_exit_reason_display()}, fees paid; {f'{dust}; ' if dust else ''}"
        f"market time {one.closed_at:%Y-%m-%d %H:%M} UTC.",
        path="/history/trades/",
        happened_at=now,
    )


def read_day(*, day: date, now: datetime) -> Iterator[News]:
    """The day in one notice, of a workspace in which an engine should run."""
    if not Engine.objects.filter(desired=Engine.Desired.RUNNING).exists():
        return
    begins = datetime.combine(day, time(), tzinfo=now.tzinfo)
    span = (begins, begins + timedelta(days=1))
    closed = Position.objects.filter(closed_at__gte=span[0], closed_at__lt=span[1])
    net = closed.values("bot__account__quote_currency").annotate(net=Sum("realized_pnl"))
    sums = [
        f"{row['net'] or Decimal(0):+,.2f} {row['bot__account__quote_currency']}" for row in net
    ]
    counted = {
        "fills": Fill.objects.filter(filled_at__gte=span[0], filled_at__lt=span[1]).count(),
        "positions closed": closed.count(),
        "still open": Position.objects.filter(closed_at=None).count(),
        "alerts": Alert.objects.filter(raised_at__gte=span[0], raised_at__lt=span[1]).count(),
        "holds standing": Hold.objects.filter(cleared_at=None).count(),
    }
    yield News(
        key=f"day:{day}",
        kind=Kind.SUMMARY,
        severity=Severity.INFO,
        title=f"{day}: {', '.join(sorted(sums)) or 'nothing closed'}",
        words=", ".join(f"{name} {number}" for name, number in counted.items()) + ".",
        path="/",
        happened_at=now,
    )


def _page(engine: Engine) -> str:
    return f"/engines/{engine.id}/"
