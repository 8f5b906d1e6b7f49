"""From an order the core asks for to its signed bytes at the venue, the durable intent in between.

The engine's own handler over a real PostgreSQL (synchronous commit as it comes), lease, tape and Kraken's
REST client; the venue is a process that answers with the moment the request was whole. Milliseconds.
Asserts nothing about time.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import django
import uvloop
from aiohttp import web
from machine import describe, percentile

from tests import servers

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.conf import settings  # noqa: E402 - after django.setup

from tests import database, factories  # noqa: E402
from trading.core.codes import ExitReason, Purpose, Side  # noqa: E402
from trading.engine.messages import News, OrderRequest  # noqa: E402
from trading.exchanges.kraken import orders  # noqa: E402
from trading.exchanges.kraken.rest import KrakenRest  # noqa: E402
from trading.exchanges.paper import PaperVenue  # noqa: E402
from trading.wiring.engines import EngineProcess  # noqa: E402
from trading.wiring.plans import Plan, read_plan  # noqa: E402
from trading.wiring.streets import Street, nothing_to_watch  # noqa: E402

WARM_UP = 20  # orders
SECRET = "c2VjcmV0" * 8
SHARES = (("p50", 0.5), ("p99", 0.99))


class TimedVenue(PaperVenue):
    """Sends orders to the process that answers when they came."""

    def __init__(self, plan: Plan, rest: KrakenRest) -> None:
        super().__init__(feed=SilentFeed(), specs=plan.specs, params=plan.params)
        self._specs, self._rest = plan.specs, rest
        self.came_ns: list[int] = []

    async def submit(self, order: OrderRequest) -> str:
        """The moment it was whole at the venue is kept."""
        spec = self._specs[order.market]
        deadline_ns = time.time_ns() + 10**10
        params = orders.add_params(order, spec, pair="XBTUSD", deadline_ns=deadline_ns)
        told = await self._rest.act("AddOrder", **params)
        self.came_ns.append(told["at_ns"])
        return str(order.seq)


class SilentFeed:
    """No market: orders come from this file."""

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        for told in list[News]():
            yield told

    async def history(self, **_: Any) -> Any:
        raise NotImplementedError

    async def close(self) -> None:
        return


def order(seq: int) -> OrderRequest:
    """A stop, as after an entry."""
    return OrderRequest(
        market=0,
        seq=seq,
        client_order_id=f"00000000-0000-4000-8000-{seq:012}",
        at_ns=time.time_ns(),
        purpose=Purpose.PROTECT,
        side=Side.SELL,
        quantity_lots=100,
        price_ticks=640_000,
        expires_ns=0,
        replaces_seq=0,
        reason=ExitReason.NONE,
        deadline_ns=time.time_ns() + 60 * 10**9,
    )


async def send_all(plan: Plan, port: int, count: int) -> list[float]:
    """Milliseconds of each order."""
    rest = KrakenRest(url=f"http://127.0.0.1:{port}", key="key", secret=SECRET)
    venue = TimedVenue(plan, rest)
    street = Street(SilentFeed(), venue, nothing_to_watch, rest.close)
    handler = EngineProcess(plan=plan, speed=None, street=street).runner._handler
    lease, ledger = handler.ports.lease, handler.ports.ledger
    await lease.acquire()
    keeper = asyncio.create_task(lease.keep())
    await handler.resume(await ledger.load())
    asked = []
    for seq in range(1, WARM_UP + count + 1):
        asked.append(time.monotonic_ns())
        await handler.act([order(seq)])
        await asyncio.sleep(0.005)
    await lease.release()
    await asyncio.gather(keeper, return_exceptions=True)
    await rest.close()
    pairs = zip(asked, venue.came_ns, strict=True)
    return [(came - began) / 1e6 for began, came in pairs][WARM_UP:]


async def play() -> None:
    """The venue: tells its port, and to each order when it came."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"error": [], "result": {"at_ns": time.monotonic_ns()}})

    app = web.Application()
    app.router.add_post("/0/private/AddOrder", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def measure(count: int) -> dict[str, float]:
    """One engine over a database of its own.

    Raises:
        SystemExit: the venue told no port.
    """
    with servers.running(), tempfile.TemporaryDirectory() as tapes:
        settings.TAPE_DIR = tapes
        name = database.clone(database.ensure_template())
        database.use_database(name)
        rows = factories.make_engine("bench", factories.make_instrument("simulator", "BTC/USD"))
        plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
        command = [sys.executable, __file__, "--play"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as venue:
            if venue.stdout is None:
                raise SystemExit("the venue is not heard")
            try:
                times = uvloop.run(send_all(plan, int(venue.stdout.readline()), count))
            finally:
                venue.terminate()
        database.drop(name)
    return {share: percentile(times, at) for share, at in SHARES}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--play", action="store_true", help="be the venue")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.play:
        asyncio.run(play())
        return
    found, machine = measure(args.orders), describe()
    if args.json:
        print(json.dumps({"machine": machine, "decision_to_wire": found}, indent=2))
        return
    print(
        f"order asked for to bytes at the venue: p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms "
        f"({args.orders} orders; load {machine['load']})"
    )


if __name__ == "__main__":
    main()
