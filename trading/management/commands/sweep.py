"""Try many parameter sets over stored bars and keep every try, not only the best."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from trading.management import options as choices
from trading.management import sessions, tables
from trading.research.requests import SWEEP, ResearchRequest


class Command(BaseCommand):
    """The best of many is no evidence by itself: the number of tries is told with it."""

    help = "Try many parameter sets over stored bars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A backtest's options and the search's."""
        choices.add_base_options(parser)
        choices.add_search_options(parser)
        parser.add_argument("--top", type=int, default=10, help="lines to show")

    def handle(self, **options: Any) -> None:
        """Run and tell."""
        with sessions.spoken_errors():
            search = choices.search_of(options)
            request = ResearchRequest(SWEEP, choices.base_request(options), search)
            ended = sessions.carry_out(
                request, tenant=options["tenant"], processes=choices.processes(options)
            )
        sessions.tell(
            ended,
            options=options,
            stdout=self.stdout,
            as_text=lambda facts: tables.sweep(facts, top=options["top"]),
            as_part=lambda trials: tables.partial(trials, search, top=options["top"]),
        )
