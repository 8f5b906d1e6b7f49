"""Prove that what an engine decided and traded equals a backtest of the same bars."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.queries.bars import CannotFeed
from trading.wiring.directory import EngineNotListed, find_engine
from trading.wiring.parity import Parity, check_parity
from trading.wiring.plans import CannotRun

EXIT_NOT_FOUND = 2
EXIT_CONFIGURATION = 4


class Command(BaseCommand):
    """Decisions byte for byte, fills one for one, books to the last digit."""

    help = "Compare an engine's decisions and fills with a backtest of the same bars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which engine, and how to answer."""
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument(
            "--exchange",
            required=True,
            help="venue: replay, synthetic, simulator, simulator_coinbase, kraken, coinbase or ccxt:<id>",
        )
        parser.add_argument("--account", default="", help="account label, where there are several")
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(self, *, tenant: str, exchange: str, account: str, json: bool, **_: Any) -> None:
        """Compare; exit 0 when nothing differs, 1 when something does."""
        try:
            found = find_engine(tenant=tenant, venue=exchange, label=account)
        except EngineNotListed as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        try:
            parity = check_parity(tenant_id=found.tenant_id, engine_id=found.engine_id)
        except (CannotRun, CannotFeed) as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        self.stdout.write(as_json(parity) if json else as_text(parity))
        if not parity.is_equal:
            sys.exit(1)


def as_json(parity: Parity) -> str:
    """The machine's answer."""
    return json.dumps({"equal": parity.is_equal, **asdict(parity)})


def as_text(parity: Parity) -> str:
    """The person's answer."""
    counted = f"{parity.decisions} decisions and {parity.fills} fills"
    if parity.is_equal:
        return f"equal: {counted}, byte for byte"
    lines = [f"DIFFERENT: {parity.differing} differences in {counted}", *parity.differences]
    return "\n  ".join(lines)
