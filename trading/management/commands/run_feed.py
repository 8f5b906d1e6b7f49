"""One public market feed of a venue for all engines of this host."""

import asyncio
import json
import signal
import sys
from argparse import ArgumentParser
from typing import Any

import msgspec
import uvloop
from django.core.management.base import BaseCommand, CommandError

from trading.exchanges.failures import FAILS
from trading.exchanges.shared.link import ask_status
from trading.exchanges.shared.words import Status
from trading.management.bars import EXIT_CONFIGURATION, EXIT_ERROR
from trading.queries.bars import LIVE_VENUES, CannotFeed
from trading.queries.feeds import socket_path
from trading.wiring.feed_service import serve
from trading.wiring.shared_feeds import AlreadyServed, served_alone

EXIT_NOT_RUNNING = 3


class Command(BaseCommand):
    """In the foreground until it is told to stop."""

    help = "Fetch a venue's public market data once for all engines of this host, and record it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which venue."""
        parser.epilog = (
            "exit codes: 0 stopped, 1 it runs already, 3 --status: it does not run, 4 configuration"
        )
        parser.add_argument("--exchange", required=True, choices=LIVE_VENUES)
        parser.add_argument("--status", action="store_true", help="how the one that runs stands")
        parser.add_argument("--json", action="store_true", help="with --status: for programs")

    def handle(self, *, exchange: str, status: bool, json: bool, **_: Any) -> None:
        """Serve until SIGTERM or SIGINT, or look."""
        if status:
            self.stdout.write(told(exchange, as_json=json))
            return
        try:
            with served_alone(exchange) as path:
                uvloop.run(run(exchange, path))
        except AlreadyServed as error:
            raise CommandError(f"run_feed: {error}", returncode=EXIT_ERROR) from None
        except CannotFeed as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None


async def run(exchange: str, path: Any) -> None:
    """Until a signal."""
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    await serve(exchange, path=path, done=done)


def told(exchange: str, *, as_json: bool) -> str:
    """How the feed stands; ends the process with 3 where there is none."""
    try:
        status = asyncio.run(ask_status(socket_path(exchange)))
    except FAILS:
        sys.stderr.write(f"no shared feed of {exchange} runs here\n")
        sys.exit(EXIT_NOT_RUNNING)
    fields: dict[str, Any] = msgspec.structs.asdict(status)
    return json.dumps(fields, indent=2) if as_json else in_words(status)


def in_words(status: Status) -> str:
    """One line for a person."""
    state = "connected" if status.is_up else f"not connected: {status.reason}"
    return (
        f"{status.venue}: {state}; {status.engines} listeners, {status.topics} subscriptions, "
        f"{status.connections} connections since the start, {status.cut_off} cut off; "
        f"{status.asked} questions, {status.passed_on} of them to the venue (process {status.pid})"
    )
