"""Token buckets in Redis: one for every address, before anything is looked up, one for every caller."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

log = structlog.get_logger(__name__)

# Takes ARGV[3] tokens from a bucket of ARGV[1] that refills by ARGV[2] a second, by Redis' own clock;
# answers the milliseconds to wait, 0 when taken. A full bucket is forgotten.
TAKE = """
local size, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(kept[1]) or size
tokens = math.min(size, tokens + math.max(0, at - (tonumber(kept[2]) or at)) * rate / 1000)
local wait = 0
if tokens >= wanted then tokens = tokens - wanted
else wait = math.ceil((wanted - tokens) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', at)
redis.call('PEXPIRE', KEYS[1], math.ceil(size * 1000 / rate) + 1000)
return wait
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many at once, so many a second after that."""

    name: str
    size: int
    rate: float

    def take(self, whose: str, *, tokens: int = 1) -> float:
        """Seconds to wait; 0 when the tokens were there.

        Without Redis nobody is refused: the engine must stay within reach.
        """
        try:
            wait = _script()(
                keys=[f"np:api:{self.name}:{whose}"], args=[self.size, self.rate, tokens]
            )
        except redis.RedisError as error:
            log.warning("throttle_without_redis", error=type(error).__name__)
            return 0.0
        return float(wait) / 1000


BY_ADDRESS = Bucket("address", 300, 30.0)
BY_CALLER = Bucket("caller", 120, 10.0)
WRONG_KEYS = Bucket("wrong", 20, 0.2)  # of one address: guessing is slow
WRONG_LINKS = Bucket("wrong-link", 20, 0.2)  # the same of links in letters
INVITATIONS = Bucket("invitations", 20, 20 / 3600)  # letters one person may have sent to others


@cache
def _script() -> Any:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0
    )
    return client.register_script(TAKE)


def address_of(request: HttpRequest) -> str:
    """The caller's address; in production the one our proxy saw."""
    return address_from(
        forwarded=request.headers.get("X-Forwarded-For", ""),
        peer=str(request.META.get("REMOTE_ADDR", "")),
    )


def address_from(*, forwarded: str, peer: str) -> str:
    """The same from what ``X-Forwarded-For`` says and who is at the other end."""
    count: int = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    parts = [part.strip() for part in forwarded.split(",")]
    return parts[-count] if count and len(parts) >= count and parts[-count] else peer


class CallerThrottle(BaseThrottle):
    """One bucket for every key and every person."""

    _wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not request.user or not request.user.is_authenticated:
            return True
        self._wait = BY_CALLER.take(caller_of(request))
        return self._wait == 0

    def wait(self) -> float:
        return self._wait


def caller_of(request: Request) -> str:
    """``key:ID`` or ``user:ID``."""
    holder: Any = request.auth
    return f"key:{holder.key_id}" if holder else f"user:{request.user.pk}"
