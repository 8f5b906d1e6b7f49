"""Probe for look-ahead: no decision may change when the bars after it are cut off or altered."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from trading.management import options as choices
from trading.management import sessions, tables
from trading.management.bars import EXIT_ERROR
from trading.research.requests import LOOKAHEAD, ResearchRequest

PROBES = 20


class Command(BaseCommand):
    """Names every bar and field that knew its future; then it ends with 1."""

    help = "Check that no decision depends on later bars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A backtest's options and how often to probe."""
        choices.add_base_options(parser)
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--probes", type=int, help=f"seeded moments, default {PROBES}")

    def handle(self, **options: Any) -> None:
        """Probe and tell; exit 1 when anything looked ahead."""
        probes = PROBES if options["probes"] is None else options["probes"]
        with sessions.spoken_errors():
            base = choices.fixed(choices.base_request(options), options["param"])
            request = ResearchRequest(LOOKAHEAD, base, probes=probes)
            ended = sessions.carry_out(request, tenant=options["tenant"])
        sessions.tell(
            ended,
            options=options,
            stdout=self.stdout,
            as_text=tables.lookahead,
            as_part=lambda trials: f"stopped after {len(trials)} probes",
        )
        if ended.outcome and not ended.outcome.facts["equal"]:
            sys.exit(EXIT_ERROR)
