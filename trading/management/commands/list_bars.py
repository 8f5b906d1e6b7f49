"""List the stored series of bars."""

import json
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management import bars as words
from trading.marketdata.catalogue import key_of
from trading.marketdata.gaps import Hole, count_duplicates, find_holes
from trading.marketdata.store import BarStore, DamagedSeries, SeriesKey, SeriesNotFound, Summary
from trading.marketdata.timeframes import format_timeframe
from trading.models import BarSeries
from trading.queries.bars import open_store


class Command(BaseCommand):
    """What is stored, counted from the files themselves and held against the index cards."""

    help = "List stored bars; every series is read and its hash compared with its index card."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much to tell, machine-readable or not."""
        parser.add_argument(
            "--gaps", action="store_true", help="every hole of every series and repeated times"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, gaps: bool, **_: Any) -> None:
        """Read every series; exit 1 when one is damaged or differs from its card."""
        store = open_store()
        cards = {key_of(card): card for card in BarSeries.objects.select_related("instrument")}
        rows, holes = [], {}
        for key in sorted({*store.stored_keys(), *cards}):
            summary, state = None, "not registered: import it again"
            try:
                summary = store.summarize(key)
                if gaps:
                    holes[key] = Holes.of(store, key)
                if key in cards:
                    same = cards[key].sha256 == summary.sha256
                    state = "ok" if same else "differs from its card: import it again"
            except (SeriesNotFound, DamagedSeries) as error:
                state = str(error)
            rows.append((key, summary, state))
        self.stdout.write(as_json(rows, holes) if json else as_text(rows, holes, store.root))
        if any(state != "ok" for *_, state in rows):
            raise CommandError("not every series is as it should be", returncode=words.EXIT_ERROR)


@dataclass(frozen=True, slots=True)
class Holes:
    """Every hole of a series, and how often a time did not come after the one before it."""

    every: list[Hole]
    duplicates: int

    @classmethod
    def of(cls, store: BarStore, key: SeriesKey) -> "Holes":
        """Read a series for its holes."""
        frame = key.timeframe_seconds
        return cls(
            list(find_holes(store.iter_bars(key), timeframe_seconds=frame)),
            count_duplicates(store.iter_bars(key)),
        )

    def facts(self, summary: Summary) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "duplicates": self.duplicates,
            "share_missing": summary.missing / (summary.bars + summary.missing),
            "holes": [words.hole_facts(hole) for hole in self.every],
        }

    def lines(self, summary: Summary) -> list[str]:
        """In words, oldest hole first."""
        share = summary.missing / (summary.bars + summary.missing)
        return [
            f"  {len(self.every):,} holes, {summary.missing:,} bars missing ({share:.3%}), "
            f"{self.duplicates:,} repeated",
            *(f"  {words.hole_text(hole)}" for hole in self.every),
        ]


def as_json(rows: list[Any], holes: dict[SeriesKey, Holes]) -> str:
    """The series as JSON."""
    return json.dumps(
        [
            {
                "venue": key.venue,
                "symbol": key.symbol,
                "timeframe": format_timeframe(key.timeframe_seconds),
                "state": state,
                **(words.summary_facts(summary) if summary else {}),
                **(holes[key].facts(summary) if key in holes else {}),
            }
            for key, summary, state in rows
        ],
        indent=2,
    )


def as_text(
    rows: list[tuple[Any, Summary | None, str]], holes: dict[SeriesKey, Holes], root: str
) -> str:
    """The series as lines."""
    if not rows:
        return f"no bars are stored in {root}; use import_bars or download_bars"
    lines = []
    for key, summary, state in rows:
        lines.append(f"{key}: {words.span_text(summary) if summary else 'unreadable'} [{state}]")
        if summary and key in holes:
            lines += holes[key].lines(summary)
    return "\n".join(lines)
