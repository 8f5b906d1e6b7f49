"""Bars of a venue's past into the store; goes on where the store ends and fills its holes."""

import asyncio
import json
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from trading.management import bars as words
from trading.management.progress import Bar
from trading.marketdata.checks import moment
from trading.marketdata.download import Download, Span
from trading.marketdata.store import FOREVER, SeriesKey, StoreError, Summary
from trading.marketdata.timeframes import NS, format_timeframe
from trading.wiring.downloads import (
    SOURCES,
    DownloadRefused,
    PairNotListed,
    VenueFailed,
    fetch,
    settle,
)

TIMEFRAME_SECONDS = 60


class Command(BaseCommand):
    """Closed bars of one or more pairs, as the venue has them or built of its trades."""

    help = "Download bars of a venue's past. Safe to repeat: only what the store lacks is asked for. Ctrl-C keeps what came."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose bars, which, from when until when."""
        parser.epilog = (
            "exit codes: 0 done, 1 venue failed or interrupted, 2 not listed or nothing there, "
            "4 wrong request"
        )
        parser.add_argument("--exchange", required=True, help=", ".join(SOURCES))
        parser.add_argument(
            "--pair",
            required=True,
            nargs="+",
            type=words.symbol,
            metavar="BASE/QUOTE",
            dest="pairs",
        )
        parser.add_argument(
            "-i", "--timeframe", type=words.timeframe, default=TIMEFRAME_SECONDS, help="default 1m"
        )
        parser.add_argument(
            "--from", required=True, type=words.day, dest="first", metavar="YYYY-MM-DD"
        )
        parser.add_argument(
            "--to", type=words.day, metavar="YYYY-MM-DD", help="not included; default now"
        )
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(
        self,
        *,
        exchange: str,
        pairs: list[str],
        timeframe: int,
        first: date,
        to: date | None,
        **options: Any,
    ) -> None:
        """Download each pair, tell what came."""
        connection.ensure_connection()  # fail before the work, not after it
        if to is not None and to <= first:
            raise CommandError(
                f"--to {to}: accepted is a day after --from {first}",
                returncode=words.EXIT_CONFIGURATION,
            )
        span = Span(_midnight_ns(first), _midnight_ns(to) if to else FOREVER)
        answers = []
        for pair in pairs:
            try:
                done = Download(SeriesKey(exchange, pair, timeframe), span)
            except StoreError as error:
                raise CommandError(str(error), returncode=words.EXIT_CONFIGURATION) from None
            answers.append(self._download(done, is_json=options["json"]))
        if options["json"]:
            self.stdout.write(json.dumps({"downloaded": answers}, indent=2))

    def _download(self, done: Download, *, is_json: bool) -> dict[str, Any]:
        problem, code = _carry_out(done)
        summary = settle(done)
        if not problem and not _has_bars(done, summary):
            problem, code = (
                f"{done.key}: the venue has no trade in this range",
                words.EXIT_NOT_FOUND,
            )
        if summary is not None and not is_json:
            self.stdout.write(_text(done, summary))
        if problem:
            raise CommandError(problem, returncode=code)
        return _facts(done, summary)


def _carry_out(done: Download) -> tuple[str, int]:
    """(why it broke off, exit code); an empty reason: it did not."""
    try:
        with Bar() as bar:
            asyncio.run(fetch(done, progress=bar))
    except PairNotListed as error:
        return str(error), words.EXIT_NOT_FOUND
    except DownloadRefused as error:
        return str(error), words.EXIT_CONFIGURATION
    except VenueFailed as error:
        return f"{error}; what came is kept, run it again to go on", words.EXIT_ERROR
    except StoreError as error:
        return str(error), words.EXIT_ERROR
    except KeyboardInterrupt:
        return "interrupted: what came is kept, run it again to go on", words.EXIT_ERROR
    return "", 0


def _midnight_ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * NS


def _has_bars(done: Download, summary: Summary | None) -> bool:
    if summary is None:
        return False
    return summary.first_ns < done.span.end_ns and summary.last_ns >= done.span.start_ns


def _text(done: Download, summary: Summary) -> str:
    lines = [
        str(done.key),
        f"  store      {done.merged.added:,} added"
        + (f", {done.left_out:,} that cannot be left out" if done.left_out else ""),
        f"  now holds  {words.span_text(summary)}",
        f"  sha256     {summary.sha256}",
    ]
    if summary.first_ns >= done.span.start_ns + 86_400 * NS:
        lines.append(f"  note: nothing before {moment(summary.first_ns)} UTC is there")
    return "\n".join(lines)


def _facts(done: Download, summary: Summary | None) -> dict[str, Any]:
    return {
        "venue": done.key.venue,
        "symbol": done.key.symbol,
        "timeframe": format_timeframe(done.key.timeframe_seconds),
        "added": done.merged.added,
        "left_out": done.left_out,
        "series": words.summary_facts(summary) if summary else None,
    }
