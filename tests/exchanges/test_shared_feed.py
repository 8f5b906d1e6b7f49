"""Engines of one host over one venue connection hear what each would hear over its own."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import uvloop

from tests.engine.fakes import random_bars
from tests.exchanges.shared_street import (
    Ear,
    own_feed,
    pass_minutes,
    relay_of,
    served,
    shared_feed,
    values_of,
)
from tests.exchanges.street import GRID, ArrayBars, open_simulator, oracle
from tests.exchanges.test_kraken_feed import assert_whole
from trading.exchanges import sockets
from trading.exchanges import wire_feed as feed_module
from trading.exchanges.fallback import FallbackFeed
from trading.exchanges.shared import link as link_module
from trading.exchanges.shared import relay as relay_module
from trading.exchanges.shared import words
from trading.exchanges.shared.link import FeedGone, Link, Pipe, ask_status
from trading.exchanges.simulator.server import Simulator
from trading.wiring.feeds import road_of

BARS = random_bars(2, 190)


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 1.6)
    monkeypatch.setattr(link_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(feed_module, "RETRY_SECONDS", 0.1)
    made = await open_simulator(BARS)
    made.list_pair("ETH/USD", source=ArrayBars(random_bars(3, 190)), grid=GRID)
    made.clock.jump(int(BARS["open_ns"][60]))
    yield made
    await made.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.sock"


async def test_engines_hear_what_an_engine_of_its_own_hears(
    simulator: Simulator, path: Path
) -> None:
    async with served(relay_of(simulator), path) as relay:
        ears = [Ear(shared_feed(path)), Ear(shared_feed(path)), Ear(own_feed(simulator))]
        for ear in ears:
            await ear.until(is_up=True)
        await pass_minutes(simulator, 6)
        for ear in ears:
            await ear.close()

    first, second, own = (values_of(ear.bars) for ear in ears)
    assert first == second == own
    assert len(own) > 60
    assert_whole(ears[0].heard, simulator, least=60)
    assert relay.status().connections == 1
    assert len(oracle(simulator, "stream")) == 2  # the relay's, and the one engine's


async def test_the_socket_is_for_its_owner_alone(simulator: Simulator, path: Path) -> None:
    async with served(relay_of(simulator), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_symbol_is_added_without_another_connection(
    simulator: Simulator, path: Path
) -> None:
    async with served(relay_of(simulator), path) as relay:
        first = Ear(shared_feed(path))
        await first.until(is_up=True)
        second = Ear(shared_feed(path, "ETH/USD", "BTC/USD"))
        await second.until(is_up=True)
        await pass_minutes(simulator, 4)
        await first.close()
        await second.close()

    assert first.ups == second.ups == [True]
    assert [bar.market for bar in second.bars[-4:]] == [0, 1, 0, 1]
    mine = [bar.open_ns for bar in first.bars]
    assert mine == [bar.open_ns for bar in second.bars if bar.market == 1]
    assert relay.status().connections == 1
    assert relay.status().topics == 4  # candles and trades of two pairs


async def test_the_venues_silence_is_everybodys(simulator: Simulator, path: Path) -> None:
    async with served(relay_of(simulator), path):
        ears = [Ear(shared_feed(path)), Ear(shared_feed(path))]
        for ear in ears:
            await ear.until(is_up=True)
        await pass_minutes(simulator, 2)
        simulator.close_sockets()
        await pass_minutes(simulator, 3)
        for ear in ears:
            await ear.until(is_up=True)
        await pass_minutes(simulator, 2)
        for ear in ears:
            await ear.close()

    for ear in ears:
        assert ear.ups == [True, False, True]
        assert_whole(ear.heard, simulator, least=65)


async def test_an_engine_outlives_its_feed(simulator: Simulator, path: Path) -> None:
    async with served(relay_of(simulator), path):
        ear = Ear(shared_feed(path))
        await ear.until(is_up=True)
        await pass_minutes(simulator, 2)
    await ear.until(is_up=False)
    await pass_minutes(simulator, 3)
    assert ear.ups[:2] == [True, False]
    async with served(relay_of(simulator), path):
        await ear.until(is_up=True)
        await pass_minutes(simulator, 2)
        await ear.close()

    assert_whole(ear.heard, simulator, least=65)


async def is_hung_up(pipe: Pipe) -> bool:
    with suppress(ConnectionError):
        while True:
            await pipe.hear(within_seconds=5)
    return True


async def test_a_slow_engine_is_cut_off_and_comes_again(
    simulator: Simulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "MOST_WAITING_BYTES", 20_000)
    async with served(relay_of(simulator), path) as relay:
        quick = Ear(shared_feed(path))
        await quick.until(is_up=True)
        sluggard = await Link(path, patience_seconds=1e9).open()
        params = {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 1}
        await sluggard.say(words.Subscribe([{"method": "subscribe", "params": params}]))
        async with asyncio.timeout(20):
            while not relay.status().cut_off:
                relay.tell(("BTC/USD", 1), {"channel": "status", "words": "x" * 10_000})
                await asyncio.sleep(0.001)
        assert await is_hung_up(sluggard)
        await pass_minutes(simulator, 2)
        again = Ear(shared_feed(path), after_ns=quick.bars[-1].open_ns)
        await again.until(is_up=True)
        await pass_minutes(simulator, 2)
        await quick.close()
        await again.close()

    assert quick.ups == [True]
    assert_whole(quick.heard, simulator, least=60)
    assert values_of(again.bars) == values_of(quick.bars[-len(again.bars) :]) != []


async def test_many_engines_ask_the_venue_once(simulator: Simulator, path: Path) -> None:
    simulator.clock.jump(simulator.clock.now_ns() + 20_000_000_000)
    async with served(relay_of(simulator), path) as relay:
        ears = [Ear(shared_feed(path)) for _ in range(20)]
        for ear in ears:
            await ear.until(is_up=True)
        for ear in ears:
            await ear.close()

    asked = [event["method"] for event in oracle(simulator, "request")]
    assert relay.status().asked >= 60
    assert asked.count("AssetPairs") == 1
    assert asked.count("OHLC") <= 2


async def test_an_engine_connects_by_itself_when_its_feed_is_gone_for_good(
    simulator: Simulator, path: Path
) -> None:
    feed = FallbackFeed(
        shared_feed(path, patience_seconds=0.3), make_own=lambda: own_feed(simulator)
    )
    async with served(relay_of(simulator), path):
        ear = Ear(feed)
        await ear.until(is_up=True)
        shared_road = road_of(feed)
        await pass_minutes(simulator, 2)
    await ear.until(is_up=False)
    await ear.until(is_up=True)
    await pass_minutes(simulator, 3)
    await ear.close()

    assert_whole(ear.heard, simulator, least=63)
    assert len(oracle(simulator, "stream")) == 2
    assert shared_road == "the shared feed of this host"
    assert road_of(feed) == "a connection of its own, since the shared feed was gone"


async def test_warming_up_without_a_feed_ends_with_a_connection_of_its_own(
    simulator: Simulator, path: Path
) -> None:
    shared = shared_feed(path, patience_seconds=0.2)
    feed = FallbackFeed(shared, make_own=lambda: own_feed(simulator))

    bars = await feed.history(market=0, before_ns=int(BARS["open_ns"][50]), count=5)
    await feed.close()

    np.testing.assert_array_equal(bars["open_ns"], BARS["open_ns"][45:50])
    with pytest.raises(FeedGone, match="no shared feed for"):
        await shared.history(market=0, before_ns=0, count=1)


async def test_what_is_no_market_data_is_refused(simulator: Simulator, path: Path) -> None:
    async with served(relay_of(simulator), path):
        pipe = await Link(path, patience_seconds=1e9).open()
        await pipe.say(words.Ask("Depth", {"pair": "BTCUSD"}))
        refused = await pipe.hear(within_seconds=5)
        unlisted = {"channel": "ohlc", "symbol": ["BTC/XYZ"], "interval": 1}
        await pipe.say(words.Subscribe([{"method": "subscribe", "params": unlisted}]))
        unknown = await pipe.hear(within_seconds=5)
        pipe.close()
        status = await ask_status(path)

    assert refused == words.Failed(
        "ApiError", "not shared: method 'Depth': shared are OHLC, Time, AssetPairs"
    )
    assert unknown == words.Down("Kraken does not list BTC/XYZ")
    assert (status.engines, status.topics) == (0, 0)


async def test_a_long_path_is_served(simulator: Simulator, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    async with served(relay_of(simulator), folder / "feed.sock"):
        status = await ask_status(folder / "feed.sock")

    assert (status.venue, status.is_up, status.reason) == (
        "simulator",
        False,
        "no engine has asked yet",
    )


def test_engines_that_vanish_do_not_end_the_feed(path: Path) -> None:
    """Over the loop that is used in earnest, whose closed connections refuse what is written."""
    params = {"channel": "ohlc", "symbol": ["BTC/USD"], "interval": 1}
    wanted = words.Subscribe([{"method": "subscribe", "params": params}])
    frame = {"channel": "ohlc", "data": [], "padding": "x" * 1000}

    async def play() -> tuple[int, int]:
        simulator = await open_simulator(BARS)
        async with served(relay_of(simulator), path) as relay:
            for _ in range(20):
                pipe = await Link(path, patience_seconds=1e9).open()
                await pipe.say(wanted)
                await pipe.hear(within_seconds=5)
                pipe.close()
                for _ in range(20):
                    relay.tell(("BTC/USD", 1), frame)
                    await asyncio.sleep(0)
            async with asyncio.timeout(5):
                while relay.status().engines:
                    await asyncio.sleep(0.01)
            status = await ask_status(path)
        await simulator.stop()
        return status.engines, status.cut_off

    assert uvloop.run(play()) == (0, 0)
