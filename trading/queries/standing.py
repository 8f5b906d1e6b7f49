"""What of the rows a person must look at: of the workspace in scope, or of all for staff."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants.models import ChainCheck, ExchangeAccount, ExchangeCredential
from tenants.scoping import TenantModel
from trading.core.codes import Purpose
from trading.models import (
    Alert,
    BacktestRun,
    Engine,
    EngineCommand,
    ForeignOrder,
    Hold,
    LedgerProof,
    OrderIntent,
    Position,
)
from trading.queries.findings import Finding, Verdict
from trading.queries.rates import list_rates

LATE_CHECK_HOURS = 48
SILENT_SECONDS, STUCK_SECONDS, LONG_HOLD_SECONDS, WAITING_SECONDS = 30, 60, 600, 600
UNPROVEN_DAYS = 2
TOLD_AT_ONCE = ("slow journal",)  # holds: stops and exits are late meanwhile
STOPS = (int(Purpose.PROTECT), int(Purpose.MOVE_STOP))


def examine_rows() -> Iterator[Finding]:
    """Engines, orders, stops, holds, strangers' orders, keys, limits, commands, runs, logs and books."""
    for look in LOOKS:
        yield from look()


def list_anomalies() -> list[Finding]:
    """What of it is not as it should be, the worst first."""
    worst_first = (Verdict.FAIL, Verdict.WARN)
    found = [one for one in examine_rows() if one.verdict is not Verdict.OK]
    return sorted(found, key=lambda one: worst_first.index(one.verdict))


def newest_walks() -> QuerySet[ChainCheck]:
    """The last walk over each chain of acts and decisions."""
    checks = ChainCheck.objects.select_related("tenant").order_by("chain", "-checked_at", "-id")
    return checks.distinct("chain")


def newest_proofs() -> QuerySet[LedgerProof]:
    """The last proof of each engine's books."""
    proofs = LedgerProof.objects.select_related("tenant", "engine__account")
    return proofs.order_by("engine", "-proved_at", "-id").distinct("engine")


def newest_alerts(*, most: int) -> QuerySet[Alert]:
    """Breakers that tripped, newest first."""
    return Alert.objects.select_related("engine__account").order_by("-raised_at", "-id")[:most]


def _of(row: TenantModel, check: str, verdict: Verdict, words: str) -> Finding:
    return Finding(check, verdict, words, row.tenant.slug)


def state_of(engine: Engine, *, now: datetime) -> Engine.Observed:
    """What it says of itself, unless it has not been heard for too long."""
    said = Engine.Observed(engine.observed)
    oldest = now - timedelta(seconds=SILENT_SECONDS)
    is_heard = engine.heartbeat_at is not None and engine.heartbeat_at >= oldest
    return said if is_heard or said is not Engine.Observed.RUNNING else Engine.Observed.SILENT


def _engines() -> Iterator[Finding]:
    now = timezone.now()
    wanted = Engine.objects.select_related("account", "tenant").filter(
        desired=Engine.Desired.RUNNING
    )
    for engine in wanted.order_by("tenant__slug", "id"):
        name = engine.account.label
        if engine.observed == Engine.Observed.FINISHED:
            yield _of(engine, "engine", Verdict.OK, f"{name} has replayed everything")
            continue
        if engine.observed == Engine.Observed.PARKED:
            yield _of(engine, "engine", Verdict.FAIL, f"{name} is {engine.detail}")
            continue
        if engine.observed == Engine.Observed.FAILED:
            yield _of(engine, "engine", Verdict.FAIL, f"{name} failed: {engine.detail}")
            continue
        beat = engine.heartbeat_at
        age = (now - beat).total_seconds() if beat else None
        if age is None or age > SILENT_SECONDS:
            since = f"silent for {_told(age)}" if age is not None else "never spoke"
            why = f" ({engine.detail})" if engine.detail else ""
            yield _of(engine, "engine", Verdict.FAIL, f"{name} should run and is {since}{why}")
        else:
            words = f"{name} {engine.observed.lower()}, {age:.0f} s ago"
            yield _of(engine, "engine", Verdict.OK, words)


def _told(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"


def _orders() -> Iterator[Finding]:
    unknown = OrderIntent.objects.select_related("tenant", "instrument").filter(
        state=OrderIntent.State.UNKNOWN
    )
    for intent in unknown.order_by("planned_at", "id"):
        words = f"{intent} of {intent.instrument} has no known outcome"
        yield _of(intent, "order", Verdict.FAIL, words)


def _protection() -> Iterator[Finding]:
    """Every open position has a stop that works."""
    held = Position.objects.select_related("tenant", "instrument").filter(closed_at=None)
    for position in held.order_by("opened_at", "id"):
        resting = OrderIntent.objects.filter(
            bot_id=position.bot_id,
            instrument_id=position.instrument_id,
            purpose__in=STOPS,
            state=OrderIntent.State.WORKING,
        )
        if not resting.exists():
            words = f"{position} has no stop at the venue"
            yield _of(position, "protection", Verdict.FAIL, words)


def _holds() -> Iterator[Finding]:
    long_ago = timezone.now() - timedelta(seconds=LONG_HOLD_SECONDS)
    is_due = Q(placed_at__lt=long_ago) | Q(cause__in=TOLD_AT_ONCE)
    standing = Hold.objects.select_related("tenant").filter(
        is_due, cleared_at=None, engine__desired=Engine.Desired.RUNNING
    )
    for hold in standing.order_by("placed_at", "id"):
        words = f"{hold} since {hold.placed_at:%Y-%m-%d %H:%M} UTC"
        yield _of(hold, "hold", Verdict.WARN, words)


def _strangers() -> Iterator[Finding]:
    """Orders of others on our accounts: shown, never touched."""
    resting = ForeignOrder.objects.select_related("tenant").filter(gone_at=None)
    for order in resting.order_by("first_seen_at", "id"):
        words = f"{order} is not ours; seen since {order.first_seen_at:%Y-%m-%d %H:%M}"
        yield _of(order, "foreign order", Verdict.WARN, words)


def _keys() -> Iterator[Finding]:
    """Every key is good and was checked lately."""
    kept = ExchangeCredential.objects.exclude(state=ExchangeCredential.State.DISABLED)
    late = timezone.now() - timedelta(hours=LATE_CHECK_HOURS)
    for key in kept.select_related("tenant", "account").order_by("tenant__slug", "id"):
        if key.state == ExchangeCredential.State.BAD:
            yield _of(key, "exchange key", Verdict.FAIL, f"{key}: {key.detail}")
        elif (key.checked_at or key.sealed_at) < late:
            words = f"{key} was not checked for {LATE_CHECK_HOURS} hours; do beat and fleet run?"
            yield _of(key, "exchange key", Verdict.WARN, words)


def _rates() -> Iterator[Finding]:
    """How much of its venue's rates each running engine has used."""
    running = Engine.objects.select_related("account", "tenant").filter(
        desired=Engine.Desired.RUNNING, account__mode=ExchangeAccount.Mode.LIVE
    )
    for engine in running.order_by("tenant__slug", "id"):
        rates = list_rates(account_id=engine.account_id)
        if not rates:
            continue
        verdict = Verdict.WARN if any(one.is_nearly_used for one in rates) else Verdict.OK
        used = ", ".join(one.words for one in rates)
        yield _of(engine, "venue's limits", verdict, f"{engine.account.label} has used {used}")


def _commands() -> Iterator[Finding]:
    stuck = timezone.now() - timedelta(seconds=STUCK_SECONDS)
    waiting = EngineCommand.objects.select_related("tenant").filter(
        finished_at=None, requested_at__lt=stuck, engine__desired=Engine.Desired.RUNNING
    )
    for command in waiting.order_by("requested_at", "id"):
        words = f"{command.kind} waits since {command.requested_at:%H:%M:%S} UTC"
        yield _of(command, "command", Verdict.FAIL, words)


def _research() -> Iterator[Finding]:
    late = timezone.now() - timedelta(seconds=WAITING_SECONDS)
    queued = BacktestRun.objects.filter(status=BacktestRun.Status.QUEUED, created_at__lt=late)
    count = queued.count()
    if count:
        words = (
            f"{count} runs wait for more than {WAITING_SECONDS // 60} minutes; is the worker there?"
        )
        yield Finding("research", Verdict.WARN, words)


def _chains() -> Iterator[Finding]:
    """The newest walk over each chain of acts and decisions."""
    for check in newest_walks():
        name = f"{check.get_kind_display().lower()} {check.chain}"
        if check.broken_at is not None:
            yield _of(check, "audit", Verdict.FAIL, f"{name} {check.damage}: {check.words}")
        elif timezone.now() - check.checked_at > timedelta(days=UNPROVEN_DAYS):
            words = f"{name} was last verified {check.checked_at:%Y-%m-%d}; is the beat there?"
            yield _of(check, "audit", Verdict.WARN, words)


def _proofs() -> Iterator[Finding]:
    """The newest proof of each engine's books."""
    for proof in newest_proofs():
        name = proof.engine.account.label
        if proof.differing:
            first = proof.differences[0]
            words = f"{name}: {proof}, first {first['kind']} {first['what']}: {first['words']}"
            yield _of(proof, "ledger", Verdict.FAIL, words)
        elif proof.problem:
            yield _of(proof, "ledger", Verdict.WARN, f"{name} is unproven: {proof.problem}")
        elif timezone.now() - proof.proved_at > timedelta(days=UNPROVEN_DAYS):
            words = f"{name} was last proven {proof.proved_at:%Y-%m-%d}; is the beat there?"
            yield _of(proof, "ledger", Verdict.WARN, words)


LOOKS = (
    _engines,
    _orders,
    _protection,
    _holds,
    _strangers,
    _keys,
    _rates,
    _commands,
    _research,
    _chains,
    _proofs,
)
