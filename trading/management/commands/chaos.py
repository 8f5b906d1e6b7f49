"""Fault campaigns: what goes wrong is drawn by seed, and the venue's own log or a backtest judges."""

import json
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from django.core.management.base import BaseCommand, CommandError
from psycopg import OperationalError

from trading.chaos.days import VENUES
from trading.chaos.planted import BUGS
from trading.chaos.takeovers import HANGS_AT
from trading.core.config.profiles import PROFILES
from trading.marketdata.store import StoreError
from trading.wiring.chaos_campaigns import (
    UnreadableResults,
    play_days,
    play_planted,
    play_takeovers,
)
from trading.wiring.chaos_days import Verdict
from trading.wiring.scratch import scratch_database
from trading.wiring.trial import TrialRequest, known_grid, run_trial

if TYPE_CHECKING:
    from trading.chaos.simulation import Simulated

EXIT_NOT_FOUND = 2
EXIT_CONFIGURATION = 4


class Command(BaseCommand):
    """Runs in a scratch database of its own, which is dropped at the end."""

    help = (
        "Break an engine on purpose. --runs: days with real orders at the venue simulator, its faults and the "
        "engine's deaths drawn by seed. --planted: the same with known bugs, all of which must show. "
        "--takeovers: an engine hangs at each named point of an order's way, and wakes beside the one that took over. "
        "--simulate: the engine alone, faults, deaths and order of events drawn by seed; the same seed "
        "gives the same hash of all that happened. --pair: kill a replaying engine at random; it must end equal to an undisturbed run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which campaign, and how long."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--runs", type=int, metavar="N", help="play N days at the simulator")
        which.add_argument(
            "--planted", nargs="*", metavar="BUG", help="plant these bugs, or all there are"
        )
        which.add_argument(
            "--takeovers", nargs="*", metavar="POINT", help="hang at these named points, or at all"
        )
        which.add_argument(
            "--simulate", type=int, metavar="N", help="N whole engines in memory and virtual time"
        )
        which.add_argument("--pair", help="BASE/QUOTE of a stored series to replay")
        parser.add_argument("--seed", type=int, default=7, help="of the first day, or of the kills")
        parser.add_argument("--venue", choices=VENUES, default="kraken",
                            help="whose wire the days are played over")  # fmt: skip
        parser.add_argument("--results", type=Path, metavar="FILE",
                            help="keep verdicts here, one line a day, and go on after them")  # fmt: skip
        parser.add_argument("--exchange", default="", help="where the bars to replay come from")
        parser.add_argument("--timerange", default="", help="YYYYMMDD-YYYYMMDD, default: all")
        parser.add_argument("--kills", type=int, default=50, help="how often to kill a replay")
        parser.add_argument("--profile", choices=sorted(PROFILES), default="active")
        parser.add_argument("--json", action="store_true", help="one JSON answer")

    def handle(self, **options: Any) -> None:
        """Exit 0 when nothing differs (or every planted bug showed), 1 when something does."""
        try:
            if options["pair"]:
                self._replay(options)
            elif options["simulate"] is not None:
                self._simulate(options)
            elif options["planted"] is not None:
                self._planted(options)
            elif options["takeovers"] is not None:
                self._takeovers(options)
            else:
                self._days(options)
        except OperationalError as error:
            words = str(error).strip().splitlines()[0]
            raise CommandError(f"the database does not answer: {words}") from None

    def _days(self, options: dict[str, Any]) -> None:
        runs, seed = options["runs"], options["seed"]
        if runs < 1 or seed < 0:
            raise CommandError(
                "--runs: at least 1; --seed: 0 or more", returncode=EXIT_CONFIGURATION
            )
        tell = self._teller(options)
        try:
            verdicts = play_days(
                range(seed, seed + runs),
                venue=options["venue"],
                results=options["results"],
                tell=tell,
            )
        except (UnreadableResults, OSError) as error:
            raise CommandError(f"--results: {error}", returncode=EXIT_CONFIGURATION) from None
        self._sum_up(verdicts, options)

    def _takeovers(self, options: dict[str, Any]) -> None:
        unknown = set(options["takeovers"]) - set(HANGS_AT)
        if unknown:
            raise CommandError(
                f"--takeovers {', '.join(sorted(unknown))}: accepted is {', '.join(HANGS_AT)}",
                returncode=EXIT_CONFIGURATION,
            )
        verdicts = play_takeovers(
            options["takeovers"], venue=options["venue"], tell=self._teller(options)
        )
        self._sum_up(verdicts, options)

    def _sum_up(self, verdicts: Sequence[Verdict], options: dict[str, Any]) -> None:
        told = summary(verdicts)
        self.stdout.write(json.dumps(told) if options["json"] else summary_text(told))
        if told["differing"]:
            sys.exit(1)

    def _simulate(self, options: dict[str, Any]) -> None:
        """No database is touched."""
        from trading.chaos.simulation import simulate  # compiled: only this campaign pays for it

        count, seed = options["simulate"], options["seed"]
        if count < 1 or seed < 0:
            raise CommandError(
                "--simulate: at least 1; --seed: 0 or more", returncode=EXIT_CONFIGURATION
            )
        found = []
        with quiet():
            for one in range(seed, seed + count):
                found.append(simulate(one))
                if not options["json"]:
                    self.stdout.write(simulated(found[-1]))
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in found]))
        if any(one.broken for one in found):
            sys.exit(1)

    def _planted(self, options: dict[str, Any]) -> None:
        unknown = set(options["planted"]) - BUGS.keys()
        if unknown:
            raise CommandError(
                f"--planted {', '.join(sorted(unknown))}: accepted is {', '.join(BUGS)}",
                returncode=EXIT_CONFIGURATION,
            )
        verdicts = play_planted(options["planted"], tell=self._teller(options))
        missed = [one.plant for one in verdicts if not one.is_shown]
        if options["json"]:
            self.stdout.write(json.dumps({"planted": len(verdicts), "overlooked": missed}))
        else:
            self.stdout.write(f"{len(verdicts) - len(missed)} of {len(verdicts)} bugs were found")
        if missed:
            sys.exit(1)

    def _teller(self, options: dict[str, Any]) -> Any:
        def tell(verdict: Verdict) -> None:
            if not options["json"]:
                self.stdout.write(line(verdict))

        return tell

    def _replay(self, options: dict[str, Any]) -> None:
        if not options["exchange"]:
            raise CommandError("--exchange: needed with --pair", returncode=EXIT_CONFIGURATION)
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


@contextmanager
def quiet() -> Iterator[None]:
    """The log of a simulated engine is its trace."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def simulated(one: "Simulated") -> str:
    """One seed in one line, and below it which invariants did not hold."""
    faults = ", ".join(f"{name} {count}" for name, count in one.faults.items() if count)
    return (
        f"seed {one.seed}: {one.digest} ({one.events} events, {one.orders} orders, {one.fills} fills, "
        f"{one.lives} lives; {faults}) {'; '.join(one.broken) or 'every invariant held'}"
    )


def line(verdict: Verdict) -> str:
    """One day in one line, and what differed below it."""
    name = verdict.plant or verdict.name or f"day {verdict.seed}"
    head = f"{name}: {'; '.join(verdict.differences[:3]) or 'equal'}"
    return (
        f"{head} ({verdict.orders} orders, {verdict.fills} fills, {verdict.lives} lives, "
        f"{verdict.seconds:.0f} s; {verdict.plan})"
    )


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The campaign in numbers."""
    return {
        "days": len(verdicts),
        "differing": [asdict(one) for one in verdicts if one.differences],
        "orders": sum(one.orders for one in verdicts),
        "fills": sum(one.fills for one in verdicts),
        "deaths": sum(one.lives - 1 for one in verdicts),
        "slow_journals": sum(one.slow for one in verdicts),
        "longest_naked_seconds": max((one.naked_seconds for one in verdicts), default=0.0),
        "seconds": sum(one.seconds for one in verdicts),
    }


def summary_text(told: dict[str, Any]) -> str:
    """The same for a person."""
    head = f"{len(told['differing'])} of {told['days']} days differ" if told["differing"] else (
        f"{told['days']} days, nothing differs"
    )  # fmt: skip
    return (
        f"{head}: {told['orders']} orders, {told['fills']} fills, {told['deaths']} deaths; longest without a "
        f"stop {told['longest_naked_seconds']:.0f} s of the venue's time"
    )


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
    """The person's answer to a replay."""
    head = "equal to an undisturbed run" if verdict["equal"] else "DIFFERENT from a backtest"
    return (
        f"{head}: {verdict['kills']} kills, {verdict['decisions']} decisions, "
        f"{verdict['fills']} fills in {verdict['seconds']:.0f} s "
        f"(undisturbed {verdict['undisturbed_seconds']:.0f} s)"
        + "".join(f"\n  {words}" for words in verdict["differences"])
    )
