"""Web side: one subscription per process; per socket the latest full value of each key."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from uuid import UUID

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tenants.nudges import PREFIX, Nudge
from trading.stream.payloads import VERSION
from trading.stream.publisher import LONGEST_GOODBYE_SECONDS, channel_of

log = structlog.get_logger(__name__)

PATTERN = channel_of("*")
NUDGES = f"{PREFIX}*"
BELL = "bell::"
SECONDS_BETWEEN_SENDS = 0.05
SECONDS_BETWEEN_LOOKS = 1.0
SHORTEST_BACK_OFF_SECONDS = 0.1
LONGEST_BACK_OFF_SECONDS = 5.0
TEXTS_ON_THE_WAY = 100
SECONDS_OF_SILENCE = 30.0

Send = Callable[[str], Awaitable[None]]


class Envelope(msgspec.Struct):
    """The part of a payload the hub looks at; the text itself is passed on untouched."""

    key: str


class SilentReader(Exception):
    """A socket took nothing for longer than is waited for."""


class Listener:
    """One socket: at most one waiting text per key, so a slow reader costs nothing.

    The server below us takes any number of texts into memory, so what is on its way is counted
    here: a reader that has not confirmed ``TEXTS_ON_THE_WAY`` gets only the newest values, later.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: dict[str, str] = {}
        self._newest: dict[str, str] = {}
        self._heard: set[str] = set()
        self._news = asyncio.Event()
        self._read = asyncio.Event()
        self._sent_texts = 0
        self._read_texts = 0

    def offer(self, key: str, text: str) -> None:
        """Replace what waits under ``key``."""
        self._heard.add(key)
        self._newest[key] = self._waiting[key] = text
        self._news.set()

    def offer_stored(self, latest: Mapping[str, str]) -> None:
        """Fill in keys nothing was heard of: a stored value may be older than one just heard."""
        for key, text in latest.items():
            if key not in self._heard and self._newest.get(key) != text:
                self._newest[key] = self._waiting[key] = text
                self._news.set()

    def forget(self) -> None:
        """What was heard may be outdated: values were missed."""
        self._heard.clear()

    def confirm(self, texts: int) -> None:
        """The reader has read this many texts since it connected."""
        self._read_texts = max(self._read_texts, min(texts, self._sent_texts))
        self._read.set()

    async def run(self) -> None:
        """Send what waits as one JSON list, at most twenty times a second.

        Raises:
            SilentReader: nothing was confirmed although much is on its way.
        """
        while True:
            await self._news.wait()
            await self._wait_for_room()
            self._news.clear()
            waiting, self._waiting = self._waiting, {}
            self._sent_texts += 1
            await self._send(f"[{','.join(waiting.values())}]")
            await asyncio.sleep(SECONDS_BETWEEN_SENDS)

    async def _wait_for_room(self) -> None:
        while self._sent_texts - self._read_texts >= TEXTS_ON_THE_WAY:
            self._read.clear()
            try:
                await asyncio.wait_for(self._read.wait(), SECONDS_OF_SILENCE)
            except TimeoutError:
                raise SilentReader(f"{TEXTS_ON_THE_WAY} texts were not confirmed") from None


class Hub:
    """Fans one Redis subscription out to the sockets of this process."""

    def __init__(self, url: str, *, look_again: Callable[[UUID], None]) -> None:
        self._look_again = look_again
        self._redis = Redis.from_url(url, decode_responses=True, encoding_errors="replace")
        self._listeners: dict[str, set[Listener]] = {}
        self._task: asyncio.Task[None] | None = None
        self._rings = 0
        self._was_subscribed = False
        self._decode = msgspec.json.Decoder(Envelope).decode

    async def join(self, tenant_id: str, listener: Listener) -> None:
        """Give a listener the latest values of its tenant, then everything new."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        channel = channel_of(tenant_id)
        self._listeners.setdefault(channel, set()).add(listener)
        try:
            listener.offer_stored(await self._read_latest(channel))
        except (RedisError, OSError) as error:  # offered once the subscription stands again
            log.warning("live_snapshot_unavailable", error=str(error))

    def leave(self, tenant_id: str, listener: Listener) -> None:
        """Forget a listener."""
        channel = channel_of(tenant_id)
        listeners = self._listeners.get(channel, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(channel, None)

    async def close(self) -> None:
        """Stop listening to Redis."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=LONGEST_GOODBYE_SECONDS)
        await self._redis.aclose()

    async def _read_latest(self, channel: str) -> dict[str, str]:
        latest = await self._redis.hgetall(f"{channel}:latest")
        return {str(key): str(text) for key, text in latest.items()}

    async def _catch_up(self) -> None:
        """Give every socket what was published while nobody here was subscribed."""
        was_subscribed, self._was_subscribed = self._was_subscribed, True
        for channel in list(self._listeners):
            if was_subscribed:
                self._ring(channel)
            latest = await self._read_latest(channel)
            for listener in self._listeners.get(channel, ()):
                listener.forget()
                listener.offer_stored(latest)

    async def _run(self) -> None:
        """Until it is cancelled; the client may swallow that while it reads, so it is looked for, too."""
        back_off, task = SHORTEST_BACK_OFF_SECONDS, asyncio.current_task()
        while task is not None and not task.cancelling():
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.psubscribe(NUDGES, PATTERN)
                    while not task.cancelling():
                        message = await pubsub.get_message(timeout=SECONDS_BETWEEN_LOOKS)
                        if message is None:
                            continue
                        if message["type"] == "pmessage":
                            self._hear(message["pattern"], message["channel"], message["data"])
                        elif message["channel"] == PATTERN:  # subscribed, once again or at first
                            back_off = SHORTEST_BACK_OFF_SECONDS
                            await self._catch_up()
            except (RedisError, OSError) as error:
                log.warning("live_subscription_lost", error=str(error))
            await asyncio.sleep(back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF_SECONDS)

    def _hear(self, pattern: str, channel: str, text: str) -> None:
        if pattern == PATTERN:
            self._fan_out(channel, text)
            return
        tenant_id = channel.removeprefix(PREFIX)
        if text == Nudge.BELL:
            self._ring(channel_of(tenant_id))
        elif text == Nudge.ACCESS:
            with suppress(ValueError):  # of no workspace
                self._look_again(UUID(tenant_id))

    def _ring(self, channel: str) -> None:
        self._rings += 1
        envelope = {"v": VERSION, "key": BELL, "seq": self._rings, "data": {}}
        text = msgspec.json.encode(envelope).decode()
        for listener in self._listeners.get(channel, ()):
            listener.offer(BELL, text)

    def _fan_out(self, channel: str, text: str) -> None:
        listeners = self._listeners.get(channel)
        if not listeners:
            return
        try:
            key = self._decode(text).key
        except msgspec.MsgspecError:
            log.warning("live_value_unreadable", channel=channel)
            return
        for listener in listeners:
            listener.offer(key, text)
