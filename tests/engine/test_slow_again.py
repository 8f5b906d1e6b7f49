"""A commit that hangs is told of each time, also where quick ones followed before it became a hold."""

import asyncio
from contextlib import asynccontextmanager

from tests.core.play import plain
from tests.engine.fakes import ManualClock, Street, random_bars
from tests.engine.test_lag import Alerts
from trading.core.config.profiles import PROFILES
from trading.engine.handler import Handler
from trading.engine.slow import SlowJournal
from trading.engine.tempo import QUICK_AGAIN


@asynccontextmanager
async def turn():
    yield


async def pass_looks(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_next_commit_that_hangs_is_told_of_too() -> None:
    street = Street([random_bars(1, 10)], plain(PROFILES["active"]))
    ports, sink = street.runner._ports, Alerts()
    ports.live._sink = sink
    handler = Handler(core=street.core, ports=ports, pace=street.runner._pace)
    handler.tempo.most_seconds = 1.0
    assert isinstance(ports.clock, ManualClock)
    watching = asyncio.create_task(SlowJournal(handler, turn=turn).run())

    for told in (1, 2):
        with handler.tempo.measured():
            await pass_looks(10)
        for _ in range(QUICK_AGAIN):
            with handler.tempo.measured():
                pass
        await pass_looks(3)
        assert len(sink.alerts) == told

    watching.cancel()
    assert street.ledger.holds == set()
