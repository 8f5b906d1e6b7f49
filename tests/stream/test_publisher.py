"""The engine's side of the stream: newest values only, never in the engine's way."""

import asyncio
import time

import msgspec
from redis.asyncio import Redis

from trading.stream.publisher import RedisPublisher, channel_of

NOWHERE = "unix:///nowhere/redis.sock"


async def latest(url: str, tenant_id: str) -> dict[str, dict]:
    async with Redis.from_url(url, decode_responses=True) as redis:
        stored = await redis.hgetall(f"{channel_of(tenant_id)}:latest")
    return {str(key): msgspec.json.decode(text) for key, text in stored.items()}


async def test_of_many_values_of_a_key_only_the_newest_is_sent(redis_url: str) -> None:
    publisher = RedisPublisher(url=redis_url, tenant_id="t")
    heard: list[dict] = []
    async with Redis.from_url(redis_url) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(channel_of("t"))
        await pubsub.get_message(timeout=1)

        for number in range(1000):
            publisher.publish("bar:0", {"close": number})
        await publisher.close()
        while message := await pubsub.get_message(timeout=0.3):
            heard.append(msgspec.json.decode(message["data"]))

    assert [text["data"] for text in heard] == [{"close": 999}]


async def test_who_comes_later_finds_the_newest_value_of_every_key(redis_url: str) -> None:
    publisher = RedisPublisher(url=redis_url, tenant_id="t")
    await publisher.start()

    publisher.publish("bar:0", {"close": 1})
    await asyncio.sleep(0.3)
    publisher.publish("bar:0", {"close": 2})
    publisher.publish("position:0", {"side": "FLAT"})
    await publisher.close()

    stored = await latest(redis_url, "t")
    assert {key: text["data"] for key, text in stored.items()} == {
        "bar:0": {"close": 2},
        "position:0": {"side": "FLAT"},
    }
    assert all(text["v"] == 1 for text in stored.values())


async def test_sequence_numbers_grow_over_all_keys(redis_url: str) -> None:
    publisher = RedisPublisher(url=redis_url, tenant_id="t")

    publisher.publish("a", {})
    await publisher.close()
    publisher.publish("b", {})
    await publisher.close()

    stored = await latest(redis_url, "t")
    assert stored["a"]["seq"] < stored["b"]["seq"]


async def test_stored_values_of_an_engine_that_is_gone_expire(redis_url: str) -> None:
    publisher = RedisPublisher(url=redis_url, tenant_id="t")

    publisher.publish("a", {})
    await publisher.close()

    async with Redis.from_url(redis_url) as redis:
        assert 0 < await redis.ttl(f"{channel_of('t')}:latest") <= 86_400


async def test_without_redis_publishing_neither_raises_nor_waits() -> None:
    publisher = RedisPublisher(url=NOWHERE, tenant_id="t")
    await publisher.start()

    started = time.perf_counter()
    for number in range(10_000):
        publisher.publish("bar:0", {"close": number})
    elapsed = time.perf_counter() - started
    await asyncio.sleep(0.3)
    await publisher.close()

    assert elapsed < 1.0


async def test_values_flow_again_once_redis_is_back(redis_url: str) -> None:
    publisher = RedisPublisher(url=NOWHERE, tenant_id="t")
    await publisher.start()
    publisher.publish("bar:0", {"close": 1})
    await asyncio.sleep(0.3)

    publisher._redis = Redis.from_url(redis_url)  # the same address answering again
    publisher.publish("bar:0", {"close": 2})
    await publisher.close()

    assert (await latest(redis_url, "t"))["bar:0"]["data"] == {"close": 2}


async def test_closing_ends_whatever_moment_of_a_send_it_meets(redis_url: str) -> None:
    for step in range(40):
        publisher = RedisPublisher(url=redis_url, tenant_id="t")
        await publisher.start()
        publisher.publish("bar:0", {"close": step})
        await asyncio.sleep(0.0995 + step * 0.00005)

        async with asyncio.timeout(5):
            await publisher.close()

        assert publisher._task is not None
        assert publisher._task.done()
