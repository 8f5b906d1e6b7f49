"""Import files of bars into the store; safe to repeat, resumes after a kill."""

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from trading.management import bars as words
from trading.marketdata.catalogue import GivenGrid, register_series
from trading.marketdata.importing import (
    FileMissing,
    ImportRefused,
    ImportReport,
    ImportRequest,
    import_file,
)
from trading.marketdata.reader import ReadOptions
from trading.marketdata.sources import FORMAT_NAMES
from trading.marketdata.store import StoreError
from trading.queries.bars import open_store


class Command(BaseCommand):
    """Files of bars or trades into the store, with an account of every line left out."""

    help = "Import bars, or build them of trades, from CSV, JSON, feather or Parquet. Venue, pair and timeframe are read from the file name where it says them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files, what they hold, how strict to be."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--venue", help="where the bars come from, such as kraken")
        parser.add_argument("--symbol", type=words.symbol, help="BASE/QUOTE, such as BTC/USD")
        parser.add_argument("--timeframe", type=words.timeframe, help="1m, 5m, 15m, 1h, 4h, 1d …")
        parser.add_argument(
            "--format", choices=FORMAT_NAMES, help="layout, instead of detecting it"
        )
        parser.add_argument("--date", type=words.day, help="the day of files that hold daytimes")
        parser.add_argument("--strict", action="store_true", help="refuse files with a broken line")
        parser.add_argument(
            "--show", type=int, default=20, help="broken lines to list (default 20)"
        )
        words.add_grid_options(parser)
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(self, *, paths: list[Path], **options: Any) -> None:
        """Import each file, register its series, tell what was left out."""
        connection.ensure_connection()  # fail before the work, not after it
        reports, refused = [], []
        for path in paths:
            try:
                reports.append(self._import(path, options))
            except (ImportRefused, StoreError) as error:
                refused.append(error)
                continue
            if not options["json"]:
                self.stdout.write(words.import_text(reports[-1]))
            if reports[-1].interrupted:
                break
        if options["json"]:
            answer = [words.import_facts(report) for report in reports]
            errors = [str(error) for error in refused]
            self.stdout.write(json.dumps({"imported": answer, "refused": errors}, indent=2))
        if refused:
            missing = all(isinstance(error, FileMissing) for error in refused)
            code = words.EXIT_NOT_FOUND if missing else words.EXIT_ERROR
            raise CommandError("\n".join(map(str, refused)), returncode=code)
        if any(report.interrupted for report in reports):
            raise CommandError("interrupted", returncode=words.EXIT_ERROR)

    def _import(self, path: Path, options: dict[str, Any]) -> ImportReport:
        request = ImportRequest(
            path=path,
            venue=options["venue"],
            symbol=options["symbol"],
            strict=options["strict"],
            options=ReadOptions(
                layout_name=options["format"],
                day=options["date"],
                timeframe_seconds=options["timeframe"],
                show=options["show"],
            ),
        )
        report = import_file(
            open_store(), request, now_ns=time.time_ns(), progress=self._progress(path)
        )
        if report.summary is not None and report.grid is not None:
            names = ("tick", "lot", "min_quantity", "min_notional")
            series = register_series(
                key=report.key,
                summary=report.summary,
                inferred=report.grid,
                given=GivenGrid(*(options[name] for name in names)),
            )
            instrument = series.instrument
            report.read.notes.append(
                f"instrument grid: tick {instrument.tick_size.normalize():f}, "
                f"lot {instrument.lot_size.normalize():f}; what is not given with --tick and --lot "
                "is inferred from the first import, least quantity is then one lot"
            )
        return report

    def _progress(self, path: Path) -> Any:
        if not sys.stderr.isatty():
            return lambda rows: None
        return lambda rows: self.stderr.write(f"\r{path.name}: {rows:,} rows", ending="")
