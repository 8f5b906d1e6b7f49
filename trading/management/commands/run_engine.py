"""Run one engine: --tenant --exchange; leads or waits as a standby."""

import asyncio
import signal
import sys
from argparse import ArgumentParser
from typing import Any

import structlog
import uvloop
from django.core.management.base import BaseCommand, CommandError

from tenants.schema import insist_on_schema
from trading.engine.clock import SystemClock
from trading.engine.rest import come_to_rest
from trading.engine.runner import Outcome
from trading.settling import AtRest
from trading.wiring.directory import EngineNotListed, find_engine
from trading.wiring.engines import EngineProcess
from trading.wiring.starts import REFUSALS, note_refusal, open_engine
from trading.wiring.warm import warm_doors

log = structlog.get_logger(__name__)

EXIT_NOT_FOUND = 2
EXIT_CONFIGURATION = 4


class Command(BaseCommand):
    """One engine of one exchange account, in the foreground until it is told to stop."""

    help = "Run the engine of one tenant's exchange account, in the account's mode."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tenant, the venue and how fast stored bars are replayed."""
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument(
            "--exchange", required=True, help="venue of the account, such as replay or coinbase"
        )
        parser.add_argument("--account", default="", help="account label, where there are several")
        parser.add_argument("--speed", default=None, help="market seconds per second, or max")

    def handle(
        self, *, tenant: str, exchange: str, account: str, speed: str | None, **_: Any
    ) -> None:
        """Find the engine, run it, exit with 0 when it stopped or finished."""
        insist_on_schema()
        try:
            found = find_engine(tenant=tenant, venue=exchange, label=account)
        except EngineNotListed as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        structlog.contextvars.bind_contextvars(tenant=tenant, engine=found.engine_id)
        try:
            process = open_engine(found, speed=speed)
            warm_doors()  # nothing may compile while leading: it would hold up heartbeats and stops
            outcome = uvloop.run(serve(process))
        except REFUSALS as error:
            note_refusal(found, error)
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        self.stdout.write(f"engine of {tenant} on {exchange}: {outcome.value.lower()}")
        if outcome is Outcome.LEADERSHIP_LOST:
            sys.exit(1)


async def serve(process: EngineProcess, at_rest: AtRest = lambda: None) -> Outcome:
    """Run with SIGTERM and SIGINT meaning: end after the message at hand; say when its start is over."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.runner.stop)
    loop.add_signal_handler(signal.SIGUSR1, tell_what_waits)
    resting = asyncio.create_task(come_to_rest(process.runner, SystemClock()))
    resting.add_done_callback(lambda _: at_rest())
    try:
        return await process.run()
    finally:
        resting.cancel()


def tell_what_waits() -> None:
    """On SIGUSR1: log where every task of the loop stands, for whoever is on call."""
    for task in asyncio.all_tasks():
        frames = [f"{f.f_code.co_qualname}:{f.f_lineno}" for f in task.get_stack()]
        log.warning("task_waits", task=task.get_name(), at=frames)
