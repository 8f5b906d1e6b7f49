"""Backtest stored bars: the core's own decisions and fills, and a small honest report."""

import json
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.core.config.profiles import PROFILES
from trading.core.params import InvalidParams
from trading.management import backtests as words
from trading.management.bars import (
    EXIT_CONFIGURATION,
    EXIT_ERROR,
    EXIT_NOT_FOUND,
    positive,
    symbol,
    timeframe,
)
from trading.marketdata.store import StoreError
from trading.queries.bars import open_store
from trading.queries.report_file import render_file
from trading.wiring.backtests import (
    BacktestRefused,
    BacktestRequest,
    NothingStored,
    run_backtest,
    run_with_charts,
)


class Command(BaseCommand):
    """One run of one set of parameters over one or more stored pairs."""

    help = "Run a backtest over stored bars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which bars, which parameters, how much money."""
        parser.add_argument("--pair", nargs="+", required=True, type=symbol, metavar="BASE/QUOTE")
        parser.add_argument("--exchange", help="where the bars come from, such as kraken")
        parser.add_argument("--timeframe", type=timeframe, default=60, help="default 1m")
        parser.add_argument(
            "--timerange",
            type=words.timerange,
            default=(0, words.FOREVER_NS),
            help="YYYYMMDD-YYYYMMDD, the last day not included; default all",
        )
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--profile", choices=sorted(PROFILES), default="balanced")
        chosen.add_argument("--params", type=Path, help="JSON file of parameters")
        parser.add_argument("--cash", type=positive, default=Decimal(10_000))
        parser.add_argument("--trades", action="store_true", help="list every closed trade")
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--html", type=Path, metavar="PATH", help="write the report as one file"
        )

    def handle(self, **options: Any) -> None:
        """Run and tell."""
        try:
            facts = self._run(options)
        except (InvalidParams, BacktestRefused) as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        except NothingStored as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        except StoreError as error:
            raise CommandError(str(error), returncode=EXIT_ERROR) from None
        if options["json"]:
            shown = (
                facts if options["trades"] else {k: v for k, v in facts.items() if k != "trades"}
            )
            self.stdout.write(json.dumps(shown, indent=2))
        else:
            self.stdout.write(words.as_text(facts, trades=options["trades"]))

    def _run(self, options: dict[str, Any]) -> dict[str, Any]:
        request, path = self._request(options), options["html"]
        if path is None:
            return run_backtest(store=open_store(), request=request)
        facts, charts = run_with_charts(store=open_store(), request=request)
        try:
            path.write_text(render_file(facts, charts), encoding="utf-8")
        except OSError as error:
            raise CommandError(
                f"--html {path}: {error.strerror}", returncode=EXIT_CONFIGURATION
            ) from error
        self.stderr.write(f"report written to {path}")
        return facts

    def _request(self, options: dict[str, Any]) -> BacktestRequest:
        start_ns, end_ns = options["timerange"]
        return BacktestRequest(
            symbols=tuple(options["pair"]),
            venue=options["exchange"],
            timeframe_seconds=options["timeframe"],
            start_ns=start_ns,
            end_ns=end_ns,
            params=words.read_params(profile=options["profile"], path=options["params"]),
            cash=options["cash"],
        )
