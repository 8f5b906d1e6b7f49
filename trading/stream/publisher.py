"""Engine side: implements ports.EventSink over Redis pub/sub; lossy, never in the engine's way."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from trading.stream.payloads import VERSION

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_FLUSHES = 0.1
LONGEST_GOODBYE_SECONDS = 2.0
LATEST_EXPIRES_SECONDS = 86_400
TIMEOUT_SECONDS = 5.0


def channel_of(tenant_id: str) -> str:
    """Pub/sub channel of a tenant's live values; ``<channel>:latest`` is the hash of the last ones."""
    return f"np:live:{tenant_id}"


class RedisPublisher:
    """Keeps the newest value of each key and sends what changed ten times a second."""

    def __init__(self, *, url: str, tenant_id: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._channel = channel_of(tenant_id)
        self._pending: dict[str, Mapping[str, Any]] = {}
        self._sequence = 0
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._reachable = True

    def publish(self, key: str, value: Mapping[str, Any]) -> None:
        """Replace the latest full value of ``key``."""
        self._pending[key] = value

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Send what is left and hang up.

        The sender is asked to end, not cancelled: the Redis client may swallow a cancellation that
        meets it in the middle of a command, and the sender would then run on for ever.
        """
        self._closing.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=LONGEST_GOODBYE_SECONDS)
            self._task.cancel()
        await self.flush()
        await self._redis.aclose()

    async def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_BETWEEN_FLUSHES):
                    await self._closing.wait()
            await self.flush()

    async def flush(self) -> None:
        """Send what changed now; what cannot be sent is dropped."""
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key, value in pending.items():
                    text = self._envelope(key, value)
                    pipe.publish(self._channel, text)
                    pipe.hset(f"{self._channel}:latest", key, text)
                pipe.expire(f"{self._channel}:latest", LATEST_EXPIRES_SECONDS)
                await pipe.execute()
        except (RedisError, OSError) as error:
            if self._reachable:
                log.warning("live_values_dropped", error=str(error))
            self._reachable = False
            return
        if not self._reachable:
            log.info("live_values_flow_again")
        self._reachable = True

    def _envelope(self, key: str, value: Mapping[str, Any]) -> bytes:
        self._sequence += 1
        return msgspec.json.encode({"v": VERSION, "key": key, "seq": self._sequence, "data": value})
