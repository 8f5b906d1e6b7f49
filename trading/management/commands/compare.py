"""Two or more kept runs side by side: what was asked, what came out, which parameters differ."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tenants.scoping import tenant_scope
from trading.management import kept, sessions
from trading.management.options import EXIT_CODES
from trading.queries import backtests as queries
from trading.wiring.directory import find_tenant


class Command(BaseCommand):
    """Of a sweep its best set, of a walk-forward its tests."""

    help = "Compare kept runs of a workspace."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which runs of which workspace."""
        parser.epilog = EXIT_CODES
        parser.add_argument("numbers", nargs="+", type=int, metavar="NUMBER")
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        """Read and tell."""
        with sessions.spoken_errors(), tenant_scope(find_tenant(options["tenant"])):
            compared = queries.compare_runs(numbers=options["numbers"])
            shown = (
                kept.comparison_json(compared)
                if options["json"]
                else kept.comparison_text(compared)
            )
        self.stdout.write(shown)
