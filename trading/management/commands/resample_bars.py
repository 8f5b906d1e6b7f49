"""Store coarser timeframes made of a finer stored series."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from trading.management import bars as words
from trading.marketdata.catalogue import GivenGrid, register_series
from trading.marketdata.resampling import Resampled, finest, store_resampled
from trading.marketdata.store import SeriesKey, SeriesNotFound, StoreError
from trading.marketdata.timeframes import InvalidTimeframe, format_timeframe
from trading.queries.bars import open_store


class Command(BaseCommand):
    """Whole buckets aligned to the epoch; a bucket without a bar stays absent."""

    help = "Roll a stored series up to larger timeframes and store those too; safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which series, from what, to what."""
        parser.add_argument("--venue", required=True)
        parser.add_argument("--symbol", required=True, type=words.symbol)
        parser.add_argument(
            "--from", dest="source", type=words.timeframe, help="default: the finest that fits"
        )
        parser.add_argument("--to", required=True, nargs="+", type=words.timeframe)
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(self, *, to: list[int], **options: Any) -> None:
        """Make each series and register it."""
        connection.ensure_connection()
        done = []
        for seconds in to:
            try:
                done.append(self._resample(seconds, options))
            except SeriesNotFound as error:
                raise CommandError(str(error), returncode=words.EXIT_NOT_FOUND) from None
            except (StoreError, InvalidTimeframe) as error:
                raise CommandError(str(error), returncode=words.EXIT_ERROR) from None
        if options["json"]:
            self.stdout.write(json.dumps([_facts(one) for one in done], indent=2))
            return
        for one in done:
            merged = one.merged
            self.stdout.write(
                f"{one.key} of {format_timeframe(one.source.timeframe_seconds)}: "
                f"{merged.added:,} added, {merged.replaced:,} replaced, "
                f"{merged.identical:,} already there; now {words.span_text(one.summary)}"
            )

    def _resample(self, seconds: int, options: dict[str, Any]) -> Resampled:
        store, venue, symbol = open_store(), options["venue"], options["symbol"]
        if options["source"]:
            source = SeriesKey(venue, symbol, options["source"])
            if source.timeframe_seconds >= seconds:
                raise InvalidTimeframe(
                    f"--to {format_timeframe(seconds)} is not larger than "
                    f"--from {format_timeframe(source.timeframe_seconds)}"
                )
        else:
            source = finest(store, venue=venue, symbol=symbol, timeframe_seconds=seconds)
        made = store_resampled(store, source=source, timeframe_seconds=seconds)
        register_series(key=made.key, summary=made.summary, inferred=made.grid, given=GivenGrid())
        return made


def _facts(made: Resampled) -> dict[str, Any]:
    return {
        "venue": made.key.venue,
        "symbol": made.key.symbol,
        "timeframe": format_timeframe(made.key.timeframe_seconds),
        "from": format_timeframe(made.source.timeframe_seconds),
        "added": made.merged.added,
        "replaced": made.merged.replaced,
        "identical": made.merged.identical,
        "series": words.summary_facts(made.summary),
    }
