"""List the stored series of bars."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management import bars as words
from trading.marketdata.catalogue import key_of
from trading.marketdata.store import DamagedSeries, SeriesNotFound, Summary
from trading.marketdata.timeframes import format_timeframe
from trading.models import BarSeries
from trading.queries.bars import open_store


class Command(BaseCommand):
    """What is stored, counted from the files themselves and held against the index cards."""

    help = "List stored bars; every series is read and its hash compared with its index card."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Machine-readable answer."""
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, **_: Any) -> None:
        """Read every series; exit 1 when one is damaged or differs from its card."""
        store = open_store()
        cards = {key_of(card): card for card in BarSeries.objects.select_related("instrument")}
        rows = []
        for key in sorted({*store.stored_keys(), *cards}):
            summary, state = None, "not registered: import it again"
            try:
                summary = store.summarize(key)
                if key in cards:
                    same = cards[key].sha256 == summary.sha256
                    state = "ok" if same else "differs from its card: import it again"
            except (SeriesNotFound, DamagedSeries) as error:
                state = str(error)
            rows.append((key, summary, state))
        self.stdout.write(as_json(rows) if json else as_text(rows, store.root))
        if any(state != "ok" for *_, state in rows):
            raise CommandError("not every series is as it should be", returncode=words.EXIT_ERROR)


def as_json(rows: list[Any]) -> str:
    """The series as JSON."""
    return json.dumps(
        [
            {
                "venue": key.venue,
                "symbol": key.symbol,
                "timeframe": format_timeframe(key.timeframe_seconds),
                "state": state,
                **(words.summary_facts(summary) if summary else {}),
            }
            for key, summary, state in rows
        ],
        indent=2,
    )


def as_text(rows: list[tuple[Any, Summary | None, str]], root: str) -> str:
    """The series as lines."""
    if not rows:
        return f"no bars are stored in {root}; use import_bars"
    lines = []
    for key, summary, state in rows:
        lines.append(f"{key}: {words.span_text(summary) if summary else 'unreadable'} [{state}]")
    return "\n".join(lines)
