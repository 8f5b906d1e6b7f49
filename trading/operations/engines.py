"""Engines: what people may ask of them. Each request is a row; the engine itself acts."""

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from trading.models import Alert, Engine, EngineCommand

KEY_CAUSE = "exchange key"
Kind = EngineCommand.Kind
ORDERED = {  # what nobody presses a button for: how it is held and how lifted
    KEY_CAUSE: (Kind.HOLD_KEY, Kind.LIFT_KEY),
    "lapsed": (Kind.HOLD_LAPSED, Kind.LIFT_LAPSED),
    "suspended": (Kind.HOLD_SUSPENDED, Kind.LIFT_SUSPENDED),
}


class EngineNotFound(Exception):
    """No such engine in this tenant."""


class EngineRefused(Exception):
    """The engine may not start; one sentence says why."""


def create_engine(*, account: ExchangeAccount, speed: str) -> Engine:
    """The engine of an exchange account, stopped."""
    return Engine.objects.create(tenant_id=account.tenant_id, account=account, speed=speed)


def start_engine(*, engine_id: uuid.UUID, actor: User | None, now: datetime) -> None:
    """Ask for the engine to run; a fleet starts it, also one that had ended, failed or is parked.

    Raises:
        EngineNotFound: no such engine in this tenant. EngineRefused: its account is out of use.
    """
    account = _engine(engine_id).account
    if account.disabled_at is not None:
        raise EngineRefused(f"{account} is disabled; enable it first")
    resting = (Engine.Observed.FINISHED, Engine.Observed.FAILED, Engine.Observed.PARKED)
    Engine.objects.filter(id=engine_id, observed__in=resting).update(
        observed=Engine.Observed.STOPPED, detail=""
    )
    _wish(engine_id=engine_id, desired=Engine.Desired.RUNNING, actor=actor, now=now)


def stop_engine(*, engine_id: uuid.UUID, actor: User | None, now: datetime) -> None:
    """Ask for the engine to stop; open positions keep their stops.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    _wish(engine_id=engine_id, desired=Engine.Desired.STOPPED, actor=actor, now=now)


def pause_engine(
    *, engine_id: uuid.UUID, actor: User | None, reason: str, idempotency_key: str, now: datetime
) -> EngineCommand:
    """Ask the engine to enter nothing until resumed; exits and stops keep running.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    return _command(
        EngineCommand.Kind.PAUSE, engine_id, actor, reason, idempotency_key=idempotency_key, now=now
    )


def resume_engine(
    *, engine_id: uuid.UUID, actor: User | None, reason: str, idempotency_key: str, now: datetime
) -> EngineCommand:
    """Ask the engine to lift the operator's hold.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    return _command(
        EngineCommand.Kind.RESUME,
        engine_id,
        actor,
        reason,
        idempotency_key=idempotency_key,
        now=now,
    )


def close_all(
    *, engine_id: uuid.UUID, actor: User | None, reason: str, idempotency_key: str, now: datetime
) -> EngineCommand:
    """Ask the engine to close every position at the next price and to pause entries.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    return _command(
        EngineCommand.Kind.CLOSE_ALL,
        engine_id,
        actor,
        reason,
        idempotency_key=idempotency_key,
        now=now,
    )


def kill_engine(
    *, engine_id: uuid.UUID, actor: User | None, reason: str, idempotency_key: str, now: datetime
) -> EngineCommand:
    """Close everything, enter nothing, until an owner revives it; resuming does not lift this.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    kind = EngineCommand.Kind.KILL
    return _command(kind, engine_id, actor, reason, idempotency_key=idempotency_key, now=now)


def revive_engine(
    *, engine_id: uuid.UUID, actor: User | None, reason: str, idempotency_key: str, now: datetime
) -> EngineCommand:
    """Lift what ``kill_engine`` set.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    kind = EngineCommand.Kind.REVIVE
    return _command(kind, engine_id, actor, reason, idempotency_key=idempotency_key, now=now)


def reconcile_engine(
    *, engine_id: uuid.UUID, actor: User | None, reason: str, idempotency_key: str, now: datetime
) -> EngineCommand:
    """Have the engine look at its account now; the outcome says what it found.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    kind = EngineCommand.Kind.RECONCILE
    return _command(kind, engine_id, actor, reason, idempotency_key=idempotency_key, now=now)


def hold_for_key(*, account: ExchangeAccount, reason: str, now: datetime) -> None:
    """Have the engine of a live account enter nothing because of its key; once."""
    engine = _live_engine(account)
    if engine is not None:
        hold_engine(engine=engine, cause=KEY_CAUSE, reason=reason, now=now)


def lift_for_key(*, account: ExchangeAccount, now: datetime) -> None:
    """Have the engine lift what ``hold_for_key`` set."""
    engine = _live_engine(account)
    if engine is not None:
        lift_engine(engine=engine, cause=KEY_CAUSE, reason="good key", now=now)


def hold_engine(*, engine: Engine, cause: str, reason: str, now: datetime) -> bool:
    """Have an engine enter nothing for this cause; False when it does already, or soon will."""
    if _will_be_held(engine, cause):
        return False
    hold, _ = ORDERED[cause]
    _command(hold, engine.id, None, reason, idempotency_key=uuid.uuid4().hex, now=now)
    return True


def lift_engine(*, engine: Engine, cause: str, reason: str, now: datetime) -> bool:
    """Have an engine lift what ``hold_engine`` set; False when there is nothing to lift."""
    if not _will_be_held(engine, cause):
        return False
    _, lift = ORDERED[cause]
    _command(lift, engine.id, None, reason, idempotency_key=uuid.uuid4().hex, now=now)
    return True


def _live_engine(account: ExchangeAccount) -> Engine | None:
    """A paper engine needs no key."""
    if account.mode != ExchangeAccount.Mode.LIVE:
        return None
    found: Engine | None = Engine.objects.filter(account=account).first()
    return found


def _will_be_held(engine: Engine, cause: str) -> bool:
    """As it will be once the engine has done what was ordered."""
    ordered = engine.commands.filter(kind__in=ORDERED[cause], finished_at=None)
    last = ordered.order_by("-requested_at", "-id").first()
    if last is not None:
        return bool(last.kind == ORDERED[cause][0])
    held: bool = engine.holds.filter(cause=cause, cleared_at=None).exists()
    return held


def mark_silent(*, engine_id: str, silent_since: datetime) -> bool:
    """Note that a running engine stopped beating; False when it spoke meanwhile."""
    won = Engine.objects.filter(
        id=engine_id, observed=Engine.Observed.RUNNING, heartbeat_at__lt=silent_since
    ).update(observed=Engine.Observed.SILENT, detail="no heartbeat")
    return won == 1


def note_refusal(*, engine_id: str, words: str, silent_since: datetime) -> bool:
    """Note why an engine did not begin; False where another process leads it."""
    noted = _not_led(engine_id, silent_since)
    return noted.update(observed=Engine.Observed.FAILED, detail=words[:300]) == 1


def note_preparation(*, engine_id: str, words: str, silent_since: datetime) -> bool:
    """Note what an engine waits for before it begins; False where another process leads it."""
    noted = _not_led(engine_id, silent_since)
    return noted.update(observed=Engine.Observed.STARTING, detail=words) == 1


def _not_led(engine_id: str, silent_since: datetime) -> QuerySet[Engine]:
    leads = Q(observed=Engine.Observed.RUNNING, heartbeat_at__gte=silent_since)
    return Engine.objects.filter(id=engine_id).exclude(leads)


def park_engine(*, engine_id: str, words: str, now: datetime) -> None:
    """Note that a wanted engine is started no more, with an alert; starting it ends that."""
    with transaction.atomic():
        engine = _engine(uuid.UUID(engine_id))
        Engine.objects.filter(id=engine.id).update(observed=Engine.Observed.PARKED, detail=words)
        Alert.objects.create(
            tenant_id=engine.tenant_id, engine=engine, cause="crashes", words=words, raised_at=now
        )


def _engine(engine_id: uuid.UUID) -> Engine:
    engine = Engine.objects.select_related("account").filter(id=engine_id).first()
    if engine is None:
        raise EngineNotFound(f"no engine {engine_id} in this workspace")
    return engine


def _wish(*, engine_id: uuid.UUID, desired: str, actor: User | None, now: datetime) -> None:
    engine = _engine(engine_id)
    before = engine.desired
    Engine.objects.filter(id=engine.id).update(desired=desired)
    tenant_operations.write_audit(
        tenant_id=engine.tenant_id,
        actor=actor,
        action="engine.desire",
        subject=str(engine),
        before={"desired": before},
        after={"desired": desired},
        now=now,
    )


def _command(
    kind: EngineCommand.Kind,
    engine_id: uuid.UUID,
    actor: User | None,
    reason: str,
    *,
    idempotency_key: str,
    now: datetime,
) -> EngineCommand:
    engine = _engine(engine_id)
    try:
        with transaction.atomic():
            command = EngineCommand.objects.create(
                tenant_id=engine.tenant_id,
                engine=engine,
                kind=kind,
                reason=reason[:200],
                idempotency_key=idempotency_key,
                requested_by=actor,
                requested_at=now,
            )
    except IntegrityError:  # the same request again: the first one stands
        return EngineCommand.objects.get(engine=engine, idempotency_key=idempotency_key)
    tenant_operations.write_audit(
        tenant_id=engine.tenant_id,
        actor=actor,
        action=f"engine.{kind.lower()}",
        subject=str(engine),
        before={},
        after={"command": str(command.id), "reason": reason[:200]},
        now=now,
    )
    return command
