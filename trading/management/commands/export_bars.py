"""Write stored bars as files that import_bars reads back bit for bit."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management import bars as words
from trading.marketdata import exporting
from trading.marketdata.exporting import ExportRefused
from trading.marketdata.series import StoredBars, choose_bars
from trading.marketdata.store import FOREVER, StoreError
from trading.queries.bars import open_store


class Command(BaseCommand):
    """One series to standard output or a file, rolled up if asked for a larger timeframe."""

    help = (
        "Export a stored series as CSV, Kraken archive CSV, freqtrade JSON or feather, or Parquet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which series, where to, as what."""
        parser.add_argument("--venue", required=True)
        parser.add_argument("--symbol", required=True, type=words.symbol)
        parser.add_argument("--timeframe", required=True, type=words.timeframe)
        parser.add_argument(
            "--output",
            default="-",
            help="a new file (.gz packs it), a folder for a file of the usual name, or - for "
            "standard output (default)",
        )
        parser.add_argument(
            "--format",
            choices=exporting.FORMATS,
            help="instead of what the file's ending says; csv without one",
        )

    def handle(self, *, output: str, format: str | None, **options: Any) -> None:
        """Write the bars piece by piece."""
        symbol, seconds = options["symbol"], options["timeframe"]
        try:
            source = choose_bars(
                open_store(), venue=options["venue"], symbol=symbol, timeframe_seconds=seconds
            )
            if output == "-":
                self._print(source, format or "csv")
                return
            path = Path(output)
            form = format or exporting.format_of(path) or "csv"
            if path.is_dir():
                path /= exporting.file_name(form, symbol=symbol, timeframe_seconds=seconds)
            chunks = source.iter_bars(start_ns=0, end_ns=FOREVER)
            count = exporting.write_file(path, chunks, form=form)
        except StoreError as error:
            raise CommandError(str(error), returncode=words.EXIT_NOT_FOUND) from None
        except ExportRefused as error:
            raise CommandError(f"--output {error}", returncode=words.EXIT_ERROR) from None
        self.stderr.write(f"{path}: {count:,} bars as {form}")

    def _print(self, source: StoredBars, form: str) -> None:
        if form not in exporting.TEXT_FORMATS:
            raise CommandError(
                f"{form} is not text: give --output FILE", returncode=words.EXIT_ERROR
            )
        chunks = source.iter_bars(start_ns=0, end_ns=FOREVER)
        exporting.write_bars(sys.stdout.buffer, chunks, form=form)
