"""Write stored bars as CSV that import_bars reads back bit for bit."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management import bars as words
from trading.marketdata.series import choose_bars
from trading.marketdata.store import FOREVER, StoreError
from trading.queries.bars import open_store


class Command(BaseCommand):
    """One series to standard output or a file, rolled up if asked for a larger timeframe."""

    help = "Export a stored series as CSV (ts in ms, open, high, low, close, volume)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which series, where to."""
        parser.add_argument("--venue", required=True)
        parser.add_argument("--symbol", required=True, type=words.symbol)
        parser.add_argument("--timeframe", required=True, type=words.timeframe)
        parser.add_argument("--output", default="-", help="file to write; default standard output")

    def handle(self, *, venue: str, symbol: str, timeframe: int, output: str, **_: Any) -> None:
        """Write the bars piece by piece."""
        try:
            source = choose_bars(
                open_store(), venue=venue, symbol=symbol, timeframe_seconds=timeframe
            )
        except StoreError as error:
            raise CommandError(str(error), returncode=words.EXIT_NOT_FOUND) from None
        try:
            out = sys.stdout if output == "-" else open(output, "x", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise CommandError(f"--output {output}: {error.strerror}", returncode=1) from None
        try:
            out.write("ts,open,high,low,close,volume\n")
            for bars in source.iter_bars(start_ns=0, end_ns=FOREVER):
                for open_ns, *values in bars.tolist():
                    out.write(f"{open_ns // 1_000_000},{','.join(map(repr, values))}\n")
        finally:
            if out is not sys.stdout:
                out.close()
