"""Backtest stored bars: the core's own decisions and fills, and a small honest report."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management import backtests as words
from trading.management import options as choices
from trading.management import sessions
from trading.management.bars import EXIT_CONFIGURATION
from trading.queries.bars import open_store
from trading.queries.report_file import render_file
from trading.research.requests import BACKTEST, BacktestRequest, ResearchRequest
from trading.wiring.backtests import run_with_charts


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
            ended = sessions.carry_out(ResearchRequest(BACKTEST, base), tenant=options["tenant"])
            if options["html"] and ended.outcome:
                self._write_report(options["html"], base)
        sessions.tell(
            ended,
            options=options,
            stdout=self.stdout,
            as_text=lambda facts: words.as_text(facts, trades=options["trades"]),
            as_part=lambda trials: "interrupted",
        )

    def _write_report(self, path: Path, base: BacktestRequest) -> None:
        text = render_file(*run_with_charts(store=open_store(), request=base))
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(
                f"--html {path}: {error.strerror}", returncode=EXIT_CONFIGURATION
            ) from error
        self.stderr.write(f"report written to {path}")
