"""Tells every web process at once what of a workspace is worth another look; lossy, never in the way.

A nudge carries no fact, only where to look: who misses one finds out a few seconds later by itself.
"""

from enum import StrEnum
from functools import cache
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

PREFIX = "np:nudge:"
TIMEOUT_SECONDS = 1.0


class Nudge(StrEnum):
    """What to look at again."""

    ACCESS = "access"
    BELL = "bell"


def nudge_on_commit(tenant_id: UUID, nudge: Nudge, *, using: str = "default") -> None:
    """Once what was changed, over the database alias told, is there for everybody to see."""
    if transaction.get_connection(using).in_atomic_block:
        transaction.on_commit(lambda: _publish(tenant_id, nudge), using=using)
    else:
        _publish(tenant_id, nudge)


def _publish(tenant_id: UUID, nudge: Nudge) -> None:
    try:
        _client().publish(f"{PREFIX}{tenant_id}", nudge.value)
    except redis.RedisError as error:
        log.warning("nudge_without_redis", nudge=nudge.value, error=type(error).__name__)


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
