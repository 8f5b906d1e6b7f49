"""Examines an installation: what answers, what is stale, what a person must look at."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from tenants.models import DataKey
from tenants.scoping import staff_scope
from tenants.vault import keyring
from trading.models import Engine
from trading.queries.bars import is_wired
from trading.queries.findings import Finding, Verdict
from trading.queries.standing import examine_rows
from trading.wiring.doctor_venues import examine_shared_feed, examine_venue
from trading.wiring.durability import find_waiting, find_weakness

LEAST_FREE_BYTES = 1_000_000_000


def examine() -> list[Finding]:
    """Everything, in order; what depends on the database is left out when that does not answer."""
    found = [*_database(), *_redis(), *_files(), *_vault()]
    if all(one.verdict is Verdict.OK for one in found if one.check == "database"):
        with staff_scope():
            found += [*_data_keys(), *examine_rows(), *_venues()]
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
    if settings.PRODUCTION and (weakness := find_weakness()):
        yield Finding("commits", Verdict.WARN, weakness)
    if waiting := find_waiting():
        yield Finding("commits", Verdict.FAIL, waiting)
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


def _data_keys() -> Iterator[Finding]:
    """Every data key opens with the ring at hand."""
    with suppress(keyring.NoKeyring):
        known = keyring.load().keks.keys()
        lost = DataKey.objects.exclude(kek_id__in=known).select_related("tenant")
        for data_key in lost.order_by("tenant__slug", "number"):
            words = f"{data_key} needs the vault's key {data_key.kek_id}"
            words = f"{words}, which is not in {keyring.source()}"
            yield Finding("vault", Verdict.FAIL, words, data_key.tenant.slug)


def _venues() -> Iterator[Finding]:
    used = Engine.objects.filter(desired=Engine.Desired.RUNNING).values_list(
        "account__venue", flat=True
    )
    for venue in sorted(filter(is_wired, set(used))):
        yield asyncio.run(examine_venue(venue))
        shared = asyncio.run(examine_shared_feed(venue))
        if shared is not None:
            yield shared
