"""Fault campaign: kill an engine at random moments of a replay and prove that nothing is lost."""

import json
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.core.config.profiles import PROFILES
from trading.marketdata.store import StoreError
from trading.wiring.scratch import scratch_database
from trading.wiring.trial import TrialRequest, known_grid, run_trial

EXIT_NOT_FOUND = 2
EXIT_CONFIGURATION = 4


class Command(BaseCommand):
    """Runs in a scratch database of its own, which is dropped at the end."""

    help = "Kill a replaying engine at random moments; it must end equal to an undisturbed run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to replay, how often to kill."""
        parser.add_argument("--pair", required=True, help="BASE/QUOTE of a stored series")
        parser.add_argument("--exchange", required=True, help="where the bars come from")
        parser.add_argument("--timerange", default="", help="YYYYMMDD-YYYYMMDD, default: all")
        parser.add_argument("--kills", type=int, default=50, help="how often to kill")
        parser.add_argument("--seed", type=int, default=7, help="seed of the moments")
        parser.add_argument("--profile", choices=sorted(PROFILES), default="active")
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(self, **options: Any) -> None:
        """Run in a scratch database; exit 0 when nothing differs, 1 when something does."""
        request = TrialRequest(
            pair=options["pair"],
            venue=options["exchange"],
            span=parse_timerange(options["timerange"]),
            profile=options["profile"],
            kills=options["kills"],
            seed=options["seed"],
            grid=known_grid(venue=options["exchange"], pair=options["pair"]),
        )
        try:
            with scratch_database():
                verdict = run_trial(request)
        except StoreError as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        self.stdout.write(json.dumps(verdict) if options["json"] else as_text(verdict))
        if not verdict["equal"]:
            sys.exit(1)


def parse_timerange(text: str) -> tuple[datetime | None, datetime | None]:
    """First and last moment of ``YYYYMMDD-YYYYMMDD``; either side may be empty."""
    if not text:
        return None, None
    first, dash, last = text.partition("-")
    try:
        if not dash:
            raise ValueError(text)
        return tuple(  # type: ignore[return-value]
            datetime.strptime(part, "%Y%m%d").replace(tzinfo=UTC) if part else None
            for part in (first, last)
        )
    except ValueError:
        raise CommandError(
            f"--timerange {text!r}: accepted is YYYYMMDD-YYYYMMDD, either side may be empty",
            returncode=EXIT_CONFIGURATION,
        ) from None


def as_text(verdict: dict[str, Any]) -> str:
    """The person's answer."""
    head = "equal to an undisturbed run" if verdict["equal"] else "DIFFERENT from a backtest"
    return (
        f"{head}: {verdict['kills']} kills, {verdict['decisions']} decisions, "
        f"{verdict['fills']} fills in {verdict['seconds']:.0f} s "
        f"(undisturbed {verdict['undisturbed_seconds']:.0f} s)"
        + "".join(f"\n  {words}" for words in verdict["differences"])
    )
