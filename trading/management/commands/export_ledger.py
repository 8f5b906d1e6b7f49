"""Write orders, fills, positions, trades or postings of a workspace as CSV."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.scoping import tenant_scope
from trading.filters import HistoryFilter
from trading.queries import history
from trading.queries.spreadsheet import write_csv
from trading.wiring.directory import TenantNotFound, find_tenant

EXIT_NOT_FOUND, EXIT_USAGE = 2, 3


class Command(BaseCommand):
    """Newest first, in constant memory, to standard output or a new file."""

    help = "Export a table of the ledger as CSV: exact decimals, UTC times, no formulas."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, what, from when, where to."""
        parser.epilog = "exit codes: 0 written, 2 no such workspace, 3 a value is not accepted"
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--what", required=True, choices=list(history.TABLES))
        parser.add_argument("--format", choices=["csv"], default="csv")
        parser.add_argument("--account", default="", help="the id of one account")
        parser.add_argument("--since", default="", help="from this moment (UTC)")
        parser.add_argument("--until", default="", help="until before this moment")
        parser.add_argument("--output", default="-", help="a new file, or - for standard output")

    def handle(self, *, tenant: str, what: str, output: str, **options: Any) -> None:
        """Find the rows and write them."""
        form = HistoryFilter({name: options[name] for name in ("account", "since", "until")})
        if not form.is_valid():
            name, problems = next(iter(form.errors.items()))
            words = f"--{name} {options[str(name)]!r}: {problems[0]}"
            raise CommandError(words, returncode=EXIT_USAGE)
        try:
            tenant_id = find_tenant(tenant)
        except TenantNotFound as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        table = history.get_table(what)
        with tenant_scope(tenant_id):
            rows = table.rows(form.wanted)
            if output == "-":
                write_csv(sys.stdout, table.columns, rows)
                return
            try:
                with Path(output).open("x", encoding="utf-8", newline="") as file:
                    count = write_csv(file, table.columns, rows)
            except OSError as error:
                words = f"--output {output}: {error.strerror}"
                raise CommandError(words, returncode=EXIT_USAGE) from None
        self.stderr.write(f"{output}: {count:,} {what}")
