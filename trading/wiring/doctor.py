"""Examines an installation: what answers, what is stale, what a person must look at."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tenants.models import ChainCheck, DataKey, ExchangeCredential
from tenants.scoping import staff_scope
from tenants.vault import keyring
from trading.core.codes import Purpose
from trading.models import (
    BacktestRun,
    Engine,
    EngineCommand,
    ForeignOrder,
    Hold,
    LedgerProof,
    OrderIntent,
    Position,
)
from trading.queries.bars import is_wired
from trading.wiring.doctor_venues import examine_venue
from trading.wiring.findings import Finding, Verdict

LEAST_FREE_BYTES = 1_000_000_000
LATE_CHECK_HOURS = 48
SILENT_SECONDS, STUCK_SECONDS, LONG_HOLD_SECONDS, WAITING_SECONDS = 30, 60, 600, 600
UNPROVEN_DAYS = 2
STOPS = (int(Purpose.PROTECT), int(Purpose.MOVE_STOP))


def examine() -> list[Finding]:
    """Everything, in order; what depends on the database is left out when that does not answer."""
    found = [*_database(), *_redis(), *_files(), *_vault()]
    if all(one.verdict is Verdict.OK for one in found if one.check == "database"):
        with staff_scope():
            for look in LOOKS:
                found += look()
    return found


def _database() -> Iterator[Finding]:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version'), rolsuper OR rolbypassrls"
                " FROM pg_roles WHERE rolname = current_user"
            )
            version, is_mighty = cursor.fetchone()
        executor = MigrationExecutor(connections["default"])
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding("database", Verdict.FAIL, str(error).strip().splitlines()[0])
        return
    yield Finding("database", Verdict.OK, f"PostgreSQL {version}")
    if is_mighty:
        yield Finding("database role", Verdict.FAIL, "the app role may see past the tenants' walls")
    if missing:
        words = f"{len(missing)} migrations are not applied; run manage.py migrate"
        yield Finding("migrations", Verdict.FAIL, words)


def _redis() -> Iterator[Finding]:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
            version = client.info("server")["redis_version"]
        yield Finding("redis", Verdict.OK, f"Redis {version}")
    except (redis.RedisError, OSError) as error:
        words = f"{error}; engines go on trading, pages do not move"
        yield Finding("redis", Verdict.FAIL, words)


def _files() -> Iterator[Finding]:
    folder = Path(settings.DATA_DIR)
    if not os.access(folder, os.W_OK):
        yield Finding("data folder", Verdict.FAIL, f"{folder} cannot be written")
        return
    free = shutil.disk_usage(folder).free
    verdict = Verdict.OK if free > LEAST_FREE_BYTES else Verdict.WARN
    yield Finding("disk", verdict, f"{free / 1e9:.1f} GB free")


def _vault() -> Iterator[Finding]:
    try:
        ring = keyring.load()
    except keyring.NoKeyring as error:
        yield Finding("vault", Verdict.FAIL, str(error))
        return
    yield Finding("vault", Verdict.OK, f"key {ring.newest_id}, in {keyring.source()}")


def _keys() -> Iterator[Finding]:
    """Every data key opens with the ring at hand; every key is good and was checked lately."""
    with suppress(keyring.NoKeyring):
        known = keyring.load().keks.keys()
        lost = DataKey.objects.exclude(kek_id__in=known).select_related("tenant")
        for data_key in lost.order_by("tenant__slug", "number"):
            words = f"{data_key.tenant.slug}: {data_key} needs the vault's key {data_key.kek_id}"
            yield Finding("vault", Verdict.FAIL, f"{words}, which is not in {keyring.source()}")
    kept = ExchangeCredential.objects.exclude(state=ExchangeCredential.State.DISABLED)
    late = timezone.now() - timedelta(hours=LATE_CHECK_HOURS)
    for key in kept.select_related("tenant", "account").order_by("tenant__slug", "id"):
        name = f"{key.tenant.slug}: {key}"
        if key.state == ExchangeCredential.State.BAD:
            yield Finding("exchange key", Verdict.FAIL, f"{name}: {key.detail}")
        elif (key.checked_at or key.sealed_at) < late:
            words = f"{name} was not checked for {LATE_CHECK_HOURS} hours; do beat and fleet run?"
            yield Finding("exchange key", Verdict.WARN, words)


def _engines() -> Iterator[Finding]:
    now = timezone.now()
    wanted = Engine.objects.select_related("account", "tenant").filter(
        desired=Engine.Desired.RUNNING
    )
    for engine in wanted.order_by("tenant__slug", "id"):
        name = f"{engine.tenant.slug}: {engine.account.label}"
        if engine.observed == Engine.Observed.FINISHED:
            yield Finding("engine", Verdict.OK, f"{name} has replayed everything")
            continue
        if engine.observed == Engine.Observed.PARKED:
            yield Finding("engine", Verdict.FAIL, f"{name} is {engine.detail}")
            continue
        if engine.observed == Engine.Observed.FAILED:
            yield Finding("engine", Verdict.FAIL, f"{name} failed: {engine.detail}")
            continue
        beat = engine.heartbeat_at
        age = (now - beat).total_seconds() if beat else None
        if age is None or age > SILENT_SECONDS:
            since = f"silent for {age:.0f} s" if age is not None else "never spoke"
            why = f" ({engine.detail})" if engine.detail else ""
            yield Finding("engine", Verdict.FAIL, f"{name} should run and is {since}{why}")
        else:
            words = f"{name} {engine.observed.lower()}, {age:.0f} s ago"
            yield Finding("engine", Verdict.OK, words)


def _orders() -> Iterator[Finding]:
    unknown = OrderIntent.objects.select_related("tenant", "instrument").filter(
        state=OrderIntent.State.UNKNOWN
    )
    for intent in unknown.order_by("planned_at", "id"):
        words = f"{intent.tenant.slug}: {intent} of {intent.instrument} has no known outcome"
        yield Finding("order", Verdict.FAIL, words)


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
            words = f"{position.tenant.slug}: {position} has no stop at the venue"
            yield Finding("protection", Verdict.FAIL, words)


def _holds() -> Iterator[Finding]:
    long_ago = timezone.now() - timedelta(seconds=LONG_HOLD_SECONDS)
    standing = Hold.objects.select_related("tenant").filter(
        cleared_at=None, placed_at__lt=long_ago, engine__desired=Engine.Desired.RUNNING
    )
    for hold in standing.order_by("placed_at", "id"):
        words = f"{hold.tenant.slug}: {hold} since {hold.placed_at:%Y-%m-%d %H:%M} UTC"
        yield Finding("hold", Verdict.WARN, words)


def _strangers() -> Iterator[Finding]:
    """Orders of others on our accounts: shown, never touched."""
    resting = ForeignOrder.objects.select_related("tenant").filter(gone_at=None)
    for order in resting.order_by("first_seen_at", "id"):
        words = f"{order.tenant.slug}: {order} is not ours; seen since"
        yield Finding(
            "foreign order", Verdict.WARN, f"{words} {order.first_seen_at:%Y-%m-%d %H:%M}"
        )


def _commands() -> Iterator[Finding]:
    stuck = timezone.now() - timedelta(seconds=STUCK_SECONDS)
    waiting = EngineCommand.objects.select_related("tenant").filter(
        finished_at=None, requested_at__lt=stuck, engine__desired=Engine.Desired.RUNNING
    )
    for command in waiting.order_by("requested_at", "id"):
        words = (
            f"{command.tenant.slug}: {command.kind} waits since {command.requested_at:%H:%M:%S} UTC"
        )
        yield Finding("command", Verdict.FAIL, words)


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
    newest = ChainCheck.objects.select_related("tenant").order_by("chain", "-checked_at", "-id")
    for check in newest.distinct("chain"):
        name = f"{check.tenant.slug}: {check.get_kind_display().lower()} {check.chain}"
        if check.broken_at is not None:
            yield Finding("audit", Verdict.FAIL, f"{name} {check.damage}: {check.words}")
        elif timezone.now() - check.checked_at > timedelta(days=UNPROVEN_DAYS):
            words = f"{name} was last verified {check.checked_at:%Y-%m-%d}; is the beat there?"
            yield Finding("audit", Verdict.WARN, words)


def _proofs() -> Iterator[Finding]:
    """The newest proof of each engine's books."""
    newest = LedgerProof.objects.select_related("tenant", "engine__account")
    for proof in newest.order_by("engine", "-proved_at", "-id").distinct("engine"):
        name = f"{proof.tenant.slug}: {proof.engine.account.label}"
        if proof.differing:
            first = proof.differences[0]
            words = f"{name}: {proof}, first {first['kind']} {first['what']}: {first['words']}"
            yield Finding("ledger", Verdict.FAIL, words)
        elif proof.problem:
            yield Finding("ledger", Verdict.WARN, f"{name} is unproven: {proof.problem}")
        elif timezone.now() - proof.proved_at > timedelta(days=UNPROVEN_DAYS):
            words = f"{name} was last proven {proof.proved_at:%Y-%m-%d}; is the beat there?"
            yield Finding("ledger", Verdict.WARN, words)


def _venues() -> Iterator[Finding]:
    used = Engine.objects.filter(desired=Engine.Desired.RUNNING).values_list(
        "account__venue", flat=True
    )
    for venue in sorted(filter(is_wired, set(used))):
        yield asyncio.run(examine_venue(venue))


LOOKS = (
    _engines,
    _orders,
    _protection,
    _holds,
    _strangers,
    _keys,
    _commands,
    _research,
    _chains,
    _proofs,
    _venues,
)
