"""Many days one after the other, each judged; what is known already is not played again."""

import asyncio
import gc
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import httpx

from trading.chaos.days import draw
from trading.chaos.planted import BUGS
from trading.chaos.takeovers import takeovers
from trading.wiring.chaos_days import Verdict, run_day
from trading.wiring.scratch import scratch_database
from trading.wiring.warm import warm_core

Tell = Callable[[Verdict], None]
NOBODY = "http://127.0.0.1:1"


class UnreadableResults(ValueError):
    """The file of results holds something else; the text names the line."""


def play_days(
    seeds: Iterable[int], *, venue: str, results: Path | None, tell: Tell
) -> list[Verdict]:
    """The verdicts of these seeds at a venue, in their order; ``results`` holds those known already.

    Raises:
        UnreadableResults: the file is not one of results.
    """
    known = read_results(results) if results else {}
    verdicts = []
    with _quiet_scratch():
        for seed in seeds:
            verdict = known.get((venue, seed))
            if verdict is None:
                verdict = run_day(draw(seed, venue=venue))
                if results:
                    _append(results, verdict)
            tell(verdict)
            verdicts.append(verdict)
    return verdicts


def play_planted(names: Sequence[str], *, tell: Tell) -> list[Verdict]:
    """One day with each of these bugs; a day that only took too long is a bug overlooked.

    Raises:
        KeyError: no such bug.
    """
    bugs = [BUGS[name] for name in names or BUGS]
    verdicts = []
    with _quiet_scratch():
        for bug in bugs:
            verdicts.append(run_day(bug.day, plant=bug.name))
            tell(verdicts[-1])
    return verdicts


def play_takeovers(points: Sequence[str], *, venue: str, tell: Tell) -> list[Verdict]:
    """A life hangs at each of these points, or at all, and wakes beside the next leader."""
    verdicts = []
    with _quiet_scratch():
        for day in takeovers(venue=venue):
            point = day.deaths[0].point
            if points and point not in points:
                continue
            verdict = run_day(day)
            if not verdict.hung:
                verdict.differences.append(f"{point} was never met")
            tell(verdict)
            verdicts.append(verdict)
    return verdicts


def read_results(path: Path) -> dict[tuple[str, int], Verdict]:
    """What is known already, by venue and seed.

    Raises:
        UnreadableResults: a line is no verdict.
    """
    known = {}
    lines = path.read_text().splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            verdict = Verdict(**json.loads(line))
        except (ValueError, TypeError):
            raise UnreadableResults(f"{path}, line {number}: not a verdict of a day") from None
        known[verdict.venue, verdict.seed] = verdict
    return known


def _append(path: Path, verdict: Verdict) -> None:
    with path.open("a") as file:
        file.write(json.dumps(asdict(verdict)) + "\n")


@contextmanager
def _quiet_scratch() -> Iterator[None]:
    """A database of its own and a warm core; engines that die on purpose do not fill the terminal."""
    with scratch_database():
        logging.disable(logging.CRITICAL)
        try:
            _warm()
            yield
        finally:
            logging.disable(logging.NOTSET)


def _warm() -> None:
    """Load what each life would load by itself, and share it."""
    import trading.tape.taps  # noqa: F401  # compiled: only those who fork engines pay for it

    warm_core()
    asyncio.run(_knock())
    gc.freeze()


async def _knock() -> None:
    """A request in vain: HTTP's machinery is imported by the first one of a process."""
    async with httpx.AsyncClient() as client:
        with suppress(httpx.ConnectError):
            await client.get(NOBODY)
