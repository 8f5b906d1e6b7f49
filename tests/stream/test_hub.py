"""The web side of the stream: one subscription, the newest values, nobody else's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from trading.stream import hub as hub_module
from trading.stream.hub import Hub, Listener, SilentReader
from trading.stream.publisher import RedisPublisher


class Reader:
    """A socket that keeps what it was sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.listener = Listener(self._take)

    async def _take(self, text: str) -> None:
        self.texts.append(text)

    @property
    def values(self) -> dict[str, dict]:
        read = [one for text in self.texts for one in msgspec.json.decode(text)]
        return {envelope["key"]: envelope["data"] for envelope in read}


@asynccontextmanager
async def joined(hub: Hub, tenant_id: str) -> AsyncIterator[Reader]:
    reader = Reader()
    task = asyncio.create_task(reader.listener.run())
    await hub.join(tenant_id, reader.listener)
    try:
        yield reader
    finally:
        hub.leave(tenant_id, reader.listener)
        task.cancel()


async def until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def publish(url: str, tenant_id: str, key: str, value: dict) -> None:
    publisher = RedisPublisher(url=url, tenant_id=tenant_id)
    publisher.publish(key, value)
    await publisher.close()


async def test_who_joins_gets_the_latest_values_at_once(redis_url: str) -> None:
    await publish(redis_url, "mine", "bar:0", {"close": 7})

    async with joined(Hub(redis_url, look_again=[].append), "mine") as reader:
        await until(lambda: reader.values == {"bar:0": {"close": 7}})


async def test_news_reaches_every_socket_of_the_tenant(redis_url: str) -> None:
    hub = Hub(redis_url, look_again=[].append)

    async with joined(hub, "mine") as one, joined(hub, "mine") as other:
        await asyncio.sleep(0.3)
        await publish(redis_url, "mine", "bar:0", {"close": 8})

        await until(lambda: one.values == other.values == {"bar:0": {"close": 8}})


async def test_nothing_of_another_tenant_arrives(redis_url: str) -> None:
    hub = Hub(redis_url, look_again=[].append)
    await publish(redis_url, "theirs", "bar:0", {"close": 1})

    async with joined(hub, "mine") as mine, joined(hub, "theirs") as theirs:
        await until(lambda: theirs.values == {"bar:0": {"close": 1}})
        await asyncio.sleep(0.3)
        await publish(redis_url, "theirs", "bar:0", {"close": 2})
        await until(lambda: theirs.values == {"bar:0": {"close": 2}})

        assert mine.texts == []


async def test_a_socket_that_left_hears_nothing_more(redis_url: str) -> None:
    hub = Hub(redis_url, look_again=[].append)
    async with joined(hub, "mine") as staying:
        async with joined(hub, "mine") as leaving:
            await asyncio.sleep(0.3)

        await publish(redis_url, "mine", "bar:0", {"close": 1})
        await until(lambda: bool(staying.texts))

        assert leaving.texts == []


async def test_nonsense_on_the_channel_does_not_end_the_subscription(redis_url: str) -> None:
    from redis.asyncio import Redis

    async with joined(Hub(redis_url, look_again=[].append), "mine") as reader:
        await asyncio.sleep(0.3)
        async with Redis.from_url(redis_url) as redis:
            await redis.publish("np:live:mine", b"\xff not json")
        await publish(redis_url, "mine", "bar:0", {"close": 3})

        await until(lambda: reader.values == {"bar:0": {"close": 3}})


async def test_a_slow_reader_gets_only_the_newest_of_each_key() -> None:
    reader = Reader()
    task = asyncio.create_task(reader.listener.run())

    for number in range(5000):
        reader.listener.offer("bar:0", str(number))
        if number % 500 == 0:
            await asyncio.sleep(0)
    await until(lambda: reader.texts[-1:] == ["[4999]"])
    task.cancel()

    assert len(reader.texts) < 20


async def test_what_is_on_its_way_to_a_reader_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "TEXTS_ON_THE_WAY", 5)
    monkeypatch.setattr(hub_module, "SECONDS_BETWEEN_SENDS", 0.001)
    reader = Reader()
    task = asyncio.create_task(reader.listener.run())

    for number in range(100):
        reader.listener.offer("bar:0", str(number))
        await asyncio.sleep(0.003)
    unconfirmed = len(reader.texts)
    reader.listener.confirm(unconfirmed)
    await until(lambda: reader.texts[-1] == "[99]")
    task.cancel()

    assert unconfirmed == 5
    assert len(reader.texts) == 6


async def test_everything_that_waits_goes_in_one_text() -> None:
    reader = Reader()
    for key in ("bar:0", "position:0", "decision:0"):
        reader.listener.offer(key, f'{{"key": "{key}", "data": {{}}}}')

    task = asyncio.create_task(reader.listener.run())
    await until(lambda: bool(reader.texts))
    task.cancel()

    assert len(reader.texts) == 1
    assert list(reader.values) == ["bar:0", "position:0", "decision:0"]


async def test_a_reader_that_confirms_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "TEXTS_ON_THE_WAY", 1)
    monkeypatch.setattr(hub_module, "SECONDS_OF_SILENCE", 0.1)
    reader = Reader()
    reader.listener.offer("a", "1")
    task = asyncio.create_task(reader.listener.run())
    await until(lambda: reader.texts == ["[1]"])

    reader.listener.offer("a", "2")

    with pytest.raises(SilentReader):
        await asyncio.wait_for(task, 5)


async def test_confirming_more_than_was_sent_opens_no_credit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "TEXTS_ON_THE_WAY", 2)
    monkeypatch.setattr(hub_module, "SECONDS_BETWEEN_SENDS", 0.001)
    reader = Reader()
    task = asyncio.create_task(reader.listener.run())

    reader.listener.confirm(1_000_000)
    for number in range(20):
        reader.listener.offer("a", str(number))
        await asyncio.sleep(0.003)
    task.cancel()

    assert len(reader.texts) == 2
