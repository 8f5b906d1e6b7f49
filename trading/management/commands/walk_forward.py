"""Choose in one window, test in the next, again and again: what is left of a sweep's promise."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from trading.management import options as choices
from trading.management import sessions, tables
from trading.research.requests import WALK_FORWARD, ResearchRequest, Walk

TRAIN_DAYS, TEST_DAYS, PURGE_BARS = 60, 20, 100


class Command(BaseCommand):
    """Every test bar is unseen when its parameters are chosen."""

    help = "Walk forward over stored bars: train, leave a gap, test."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A sweep's options and the windows'."""
        choices.add_base_options(parser)
        choices.add_search_options(parser)
        parser.add_argument("--train-days", type=int, help=f"default {TRAIN_DAYS}")
        parser.add_argument("--test-days", type=int, help=f"default {TEST_DAYS}")
        parser.add_argument(
            "--purge", type=int, metavar="BARS", help=f"gap before a test, default {PURGE_BARS}"
        )
        parser.add_argument(
            "--anchored", action="store_true", help="train on everything before, not on a window"
        )

    def handle(self, **options: Any) -> None:
        """Run and tell."""
        with sessions.spoken_errors():
            search, walk = choices.search_of(options), self._walk(options)
            request = ResearchRequest(WALK_FORWARD, choices.base_request(options), search, walk)
            ended = sessions.carry_out(
                request, tenant=options["tenant"], processes=choices.processes(options)
            )
        sessions.tell(
            ended,
            options=options,
            stdout=self.stdout,
            as_text=tables.walk,
            as_part=lambda trials: tables.partial(trials, search, top=10),
        )

    def _walk(self, options: dict[str, Any]) -> Walk:
        def given(name: str, default: int) -> int:
            return default if options[name] is None else int(options[name])

        return Walk(
            train_days=given("train_days", TRAIN_DAYS),
            test_days=given("test_days", TEST_DAYS),
            purge_bars=given("purge", PURGE_BARS),
            anchored=options["anchored"],
        )
