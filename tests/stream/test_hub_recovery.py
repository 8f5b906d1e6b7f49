"""What a socket is told when values were missed: always the newest, never an older one after it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from redis.asyncio import Redis

from trading.stream.hub import Hub, Listener
from trading.stream.publisher import channel_of

OLGAS = "11111111-1111-4111-8111-111111111111"
MAXS = "22222222-2222-4222-8222-222222222222"
PATIENCE_SECONDS = 10.0


class Socket:
    """Keeps what a browser would have received."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.listener = Listener(self._receive)

    async def _receive(self, text: str) -> None:
        self.texts.append(text)

    def values(self, key: str) -> list[int]:
        """The values of one key, oldest first."""
        envelopes = [one for text in self.texts for one in msgspec.json.decode(text)]
        return [e["data"]["n"] for e in envelopes if e["key"] == key]


def envelope(key: str, number: int) -> bytes:
    """A payload whose data is a number."""
    return msgspec.json.encode({"v": 1, "key": key, "seq": number, "data": {"n": number}})


async def publish(redis: Redis, tenant: str, key: str, number: int) -> None:
    """What the engine's publisher does with one value."""
    await redis.publish(channel_of(tenant), envelope(key, number))
    await redis.hset(f"{channel_of(tenant)}:latest", key, envelope(key, number))


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for a while."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """The engine's side of Redis."""
    async with Redis.from_url(redis_url) as client:
        yield client


@asynccontextmanager
async def sitting(hub: Hub, tenant: str) -> AsyncIterator[Socket]:
    """A socket of a tenant, joined to the hub and reading."""
    socket = Socket()
    task = asyncio.create_task(socket.listener.run())
    await hub.join(tenant, socket.listener)
    try:
        yield socket
    finally:
        hub.leave(tenant, socket.listener)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def hub(redis_url: str, redis: Redis) -> AsyncIterator[Hub]:
    """A hub, closed at the end."""
    hub = Hub(redis_url, look_again=[].append)
    yield hub
    await hub.close()


async def subscriptions(redis: Redis) -> list[dict[str, str]]:
    """Connections of this test's hub: tests beside it have another database of the same Redis."""
    ours = str(redis.connection_pool.connection_kwargs["db"])
    clients = await redis.client_list(_type="pubsub")
    return [client for client in clients if client["db"] == ours and client["psub"] != "0"]


async def subscribed(redis: Redis) -> None:
    """Wait until the hub's subscription stands."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await subscriptions(redis):
            await asyncio.sleep(0.01)


async def cut_subscriptions(redis: Redis) -> None:
    """What a restart of Redis does to the hub's connection."""
    for client in await subscriptions(redis):
        await redis.client_kill_filter(_id=client["id"])


async def test_a_socket_gets_the_stored_values_first_and_then_the_new_ones(
    hub: Hub, redis: Redis
) -> None:
    await publish(redis, OLGAS, "engine", 1)

    async with sitting(hub, OLGAS) as socket:
        await until(lambda: socket.values("engine") == [1])
        await subscribed(redis)
        await publish(redis, OLGAS, "engine", 2)
        await until(lambda: socket.values("engine")[-1] == 2)


async def test_a_stored_value_does_not_follow_a_newer_one_that_was_heard() -> None:
    socket = Socket()

    socket.listener.offer("engine", envelope("engine", 2).decode())
    socket.listener.offer_stored(
        {key: envelope(key, 1).decode() for key in ("engine", "position:0")}
    )
    task = asyncio.create_task(socket.listener.run())
    await until(lambda: bool(socket.texts))
    task.cancel()

    assert socket.values("engine") == [2]
    assert socket.values("position:0") == [1]


async def test_values_of_another_tenant_never_arrive(hub: Hub, redis: Redis) -> None:
    await publish(redis, OLGAS, "engine", 1)

    async with sitting(hub, OLGAS) as olga, sitting(hub, MAXS) as max_:
        await subscribed(redis)
        for number in range(2, 20):
            await publish(redis, OLGAS, f"bar:{number}", number)
        await publish(redis, MAXS, "engine", 100)
        await until(lambda: olga.values("bar:19") == [19] and max_.values("engine") == [100])

    assert all(one["data"]["n"] == 100 for text in max_.texts for one in msgspec.json.decode(text))
    assert set(olga.values("engine")) == {1}


async def test_what_was_published_while_redis_was_away_arrives_after_all(
    hub: Hub, redis: Redis
) -> None:
    async with sitting(hub, OLGAS) as socket:
        await subscribed(redis)
        await publish(redis, OLGAS, "position:0", 1)
        await until(lambda: socket.values("position:0") == [1])

        await cut_subscriptions(redis)
        # the last word of an engine that then falls silent: nothing will repeat it
        await redis.hset(f"{channel_of(OLGAS)}:latest", "position:0", envelope("position:0", 2))

        await until(lambda: socket.values("position:0")[-1] == 2)


async def test_a_slow_reader_gets_the_newest_value_and_not_the_ones_between() -> None:
    gate, received = asyncio.Event(), []

    async def slow(text: str) -> None:
        received.extend(one["data"]["n"] for one in msgspec.json.decode(text))
        await gate.wait()

    listener = Listener(slow)
    task = asyncio.create_task(listener.run())
    for number in range(1_000):
        listener.offer("engine", envelope("engine", number).decode())
        await asyncio.sleep(0)
    gate.set()
    await until(lambda: received[-1] == 999)
    task.cancel()

    assert len(received) <= 3
