"""Show the kept runs of a workspace, or one of them again as it was printed."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.scoping import tenant_scope
from trading.management import backtests as words
from trading.management import kept, sessions, tables
from trading.management.bars import EXIT_NOT_FOUND
from trading.management.options import EXIT_CODES
from trading.models import BacktestRun
from trading.queries import backtests as queries
from trading.queries.report_file import render_file
from trading.research.requests import BACKTEST, LOOKAHEAD, SWEEP
from trading.wiring.directory import find_tenant


class Command(BaseCommand):
    """Without a number: the list."""

    help = "List the kept runs of a workspace, or show one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which run of which workspace."""
        parser.epilog = EXIT_CODES
        parser.add_argument("number", nargs="?", type=int)
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--archived", action="store_true", help="list the archived ones")
        parser.add_argument("--trades", action="store_true", help="list every closed trade")
        parser.add_argument(
            "--html", type=Path, metavar="PATH", help="write the report as one file"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        """Read and tell."""
        with sessions.spoken_errors(), tenant_scope(find_tenant(options["tenant"])):
            if options["number"] is None:
                listed = queries.list_runs(archived=options["archived"])
                shown = kept.as_json(listed) if options["json"] else kept.as_text(listed)
            else:
                shown = self._one(queries.get_run(number=options["number"]), options)
        self.stdout.write(shown)

    def _one(self, run: BacktestRun, options: dict[str, Any]) -> str:
        facts = queries.get_result(run)
        if options["html"]:
            report = queries.get_report(run)
            if report is None:
                raise CommandError(f"run {run.number} has no report", returncode=EXIT_NOT_FOUND)
            sessions.write_file("--html", options["html"], render_file(*report))
        if options["json"]:
            return json.dumps({**kept.run_facts(run), "result": facts}, indent=2)
        head = kept.line(queries.ListedRun(run, queries.headline(run)))
        if facts is None:
            return f"{head}\n{run.error}".strip()
        if run.kind == BACKTEST:
            told = words.as_text(facts, trades=options["trades"])
        elif run.kind == SWEEP:
            told = tables.sweep(facts, top=20)
        else:
            told = tables.lookahead(facts) if run.kind == LOOKAHEAD else tables.walk(facts)
        luck = queries.luck_words(run, facts if run.kind == BACKTEST else facts.get("result") or {})
        parts = [head, told, luck, f"result sha256 {run.result_hash}"]
        return "\n\n".join(part for part in parts if part)
