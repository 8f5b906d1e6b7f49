"""One engine with many pairs: the CPU of a minute, and how long a burst of closing bars waits.

The engine that is shipped over real PostgreSQL and Redis, tape included, on paper; only its market is an
array. Bars of all pairs close at once; a bar waits from that moment until it is decided, and journaled where an
order follows. A frame of a shared feed is measured apart: read, decoded, put into its candle.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

from tests import servers

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

import numpy as np  # noqa: E402
import uvloop  # noqa: E402
from django.conf import settings  # noqa: E402
from invented import invent_bars  # noqa: E402
from machine import describe, in_words, percentile  # noqa: E402

from tenants.scoping import tenant_scope  # noqa: E402
from tests import database, factories  # noqa: E402
from trading import operations  # noqa: E402
from trading.core import params as core_params  # noqa: E402
from trading.core.config.profiles import PROFILES  # noqa: E402
from trading.engine.messages import BarClosed, News  # noqa: E402
from trading.exchanges.kraken.feed import KrakenFeed  # noqa: E402
from trading.exchanges.kraken.rest import KrakenRest  # noqa: E402
from trading.exchanges.paper import PaperVenue  # noqa: E402
from trading.exchanges.shared import words  # noqa: E402
from trading.wiring.engines import EngineProcess  # noqa: E402
from trading.wiring.plans import Plan, read_plan  # noqa: E402
from trading.wiring.streets import Street, nothing_to_watch  # noqa: E402
from trading.wiring.warm import warm_core  # noqa: E402

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE_NS = 60_000_000_000
WARM_UP = 20  # bars of each pair before the first measured one
QUIET_SECONDS = 2.0
FRAMES = 20_000


class Bursts:
    """A feed whose pairs all close at the same moment, again and again."""

    def __init__(self, pairs: int, count: int) -> None:
        self._pairs, self._rows = pairs, invent_bars(WARM_UP + count).tolist()
        self.waits_ms: list[float] = []
        self.cpu_seconds: list[float] = []
        self.quiet_percent: list[float] = []

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        """The past at once, then burst by burst."""
        for number, row in enumerate(self._rows):
            told = (*row, number < WARM_UP)
            bars = [BarClosed(m, *told) for m in range(self._pairs)]
            cpu, began = time.process_time(), time.perf_counter()
            for bar in bars:
                yield bar  # the next is asked for when it was handled
                if not bar.late:
                    self.waits_ms.append((time.perf_counter() - began) * 1000)
            if number >= WARM_UP:
                await asyncio.sleep(QUIET_SECONDS)  # what is written a moment later belongs to it
                self.cpu_seconds.append(time.process_time() - cpu)
                cpu, began = time.process_time(), time.perf_counter()
                await asyncio.sleep(QUIET_SECONDS)
                quiet = (time.process_time() - cpu) / (time.perf_counter() - began)
                self.quiet_percent.append(100 * quiet)

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """None is needed."""
        raise AssertionError("a new engine asks for no history")

    async def close(self) -> None:
        """Nothing is held."""


def make_plan(pairs: int) -> Plan:
    """A workspace whose one bot trades so many pairs."""
    instruments = [factories.make_instrument("replay", f"C{n}/USD") for n in range(pairs)]
    rows = factories.make_engine("bench", instruments[0])
    with tenant_scope(rows.tenant_id):
        account = rows.account_id
        operations.create_bot(
            account=factories.ExchangeAccount.objects.get(id=account),
            name="Many",
            instruments=instruments[1:],
            timeframe_seconds=60,
            params=core_params.to_mapping(PROFILES["active"]),
            actor=None,
            now=NOW,
        )
    return read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))


async def run(plan: Plan, feed: Bursts) -> None:
    """The whole engine, until its market ends."""
    venue = PaperVenue(feed=feed, specs=plan.specs, params=plan.params)
    street = Street(feed, venue, nothing_to_watch, feed.close)
    await EngineProcess(plan=plan, speed=None, street=street).run()


def measure_burst(pairs: int, bursts: int) -> dict[str, Any]:
    """What a minute costs, and how long bars wait."""
    with servers.running(), tempfile.TemporaryDirectory() as folder:
        name = database.clone(database.ensure_template())
        database.use_database(name)
        settings.TAPE_DIR = Path(folder)
        try:
            feed = Bursts(pairs, bursts)
            warm_core()
            uvloop.run(run(make_plan(pairs), feed))
        finally:
            database.drop(name)
    quiet, cpu = min(feed.quiet_percent), percentile(feed.cpu_seconds, 0.5)
    own = cpu - quiet / 100 * QUIET_SECONDS
    return {
        "pairs": pairs,
        "bursts": bursts,
        "wait_p50_ms": percentile(feed.waits_ms, 0.5),
        "wait_p99_ms": percentile(feed.waits_ms, 0.99),
        "cpu_seconds_a_burst": own,
        "quiet_percent": quiet,
        "percent_at_real_time": quiet + 100 * own / 60,
    }


async def measure_frames() -> dict[str, Any]:
    """CPU of one candle's update through a shared feed."""
    feed = KrakenFeed(
        rest=KrakenRest(url="http://127.0.0.1:1"),
        ws_url="",
        symbols=["BTC/USD"],
        timeframe_ns=MINUTE_NS,
    )
    row = {"symbol": "BTC/USD", "open": "20000.1", "high": "20010.2", "low": "19990.3", "close": "20005.4",
           "trades": 12, "volume": "1.23456789", "vwap": "20001.1", "interval": 1,
           "interval_begin": "2026-01-01T00:00:00.000000000Z", "timestamp": "2026-01-01T00:01:00.000000Z"}  # fmt: skip
    frame = {
        "channel": "ohlc",
        "type": "update",
        "timestamp": "2026-01-01T00:00:30Z",
        "data": [row],
    }
    reader = asyncio.StreamReader()
    reader.feed_data(words.pack(words.Said(frame)) * FRAMES)
    began = time.process_time()
    for _ in range(FRAMES):
        told = await words.hear_feed(reader)
        assert isinstance(told, words.Said)
        feed._take(told.frame)
    seconds = time.process_time() - began
    await feed.close()
    return {"frame_us": 1e6 * seconds / FRAMES}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--bursts", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    words_, machine = in_words(), describe()
    found = measure_burst(options.pairs, options.bursts) | uvloop.run(measure_frames())
    if options.json:
        print(json.dumps({"machine": machine, "burst": found}))
        return
    print(words_)
    print(", ".join(f"{name} {value:.4g}" for name, value in found.items()))


if __name__ == "__main__":
    main()
