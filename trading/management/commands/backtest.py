"""Backtest stored bars: the core's own decisions and fills, and a small honest report."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from trading.management import backtests as words
from trading.management import options as choices
from trading.management import sessions
from trading.research.requests import BACKTEST, ResearchRequest


class Command(BaseCommand):
    """One run of one set of parameters over one or more stored pairs."""

    help = "Run a backtest over stored bars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which bars, which parameters, how much money."""
        choices.add_base_options(parser)
        parser.add_argument(
            "--param", action="append", default=[], metavar="NAME=VALUE", help="change a parameter"
        )
        parser.add_argument("--trades", action="store_true", help="list every closed trade")
        parser.add_argument(
            "--html", type=Path, metavar="PATH", help="write the report as one file"
        )

    def handle(self, **options: Any) -> None:
        """Run and tell."""
        with sessions.spoken_errors():
            base = choices.fixed(choices.base_request(options), options["param"])
            request = ResearchRequest(BACKTEST, base)
            ended = sessions.carry_out(request, tenant=options["tenant"])
        sessions.tell(
            ended,
            options=options,
            stdout=self.stdout,
            as_text=lambda facts: words.as_text(facts, trades=options["trades"]),
            as_part=lambda trials: "interrupted",
        )
