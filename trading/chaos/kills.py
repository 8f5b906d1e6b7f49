"""The kill campaign: one engine replays stored bars and is killed again and again, at random.

Engines are forked from a warm parent and end by SIGKILL only. Whatever the kills hit, the run must
end equal to an undisturbed backtest: every decision, every fill, every book.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import structlog

log = structlog.get_logger(__name__)

KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Campaign:
    """How often to kill, and how the moments are drawn."""

    kills: int
    seed: int
    undisturbed_seconds: float


@dataclass(frozen=True, slots=True)
class Survived:
    """What happened."""

    kills: int
    lives: int
    seconds: float


class EngineDied(Exception):
    """An engine ended by itself with an error; the campaign proves nothing."""


def fork(main: Callable[[], int]) -> int:
    """Run ``main`` in a forked process that ends with its answer; the process id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = main()
        except BaseException:
            log.exception("engine_crashed")
        finally:
            os._exit(code)  # the parent's exit handlers are not ours to run
    return pid


def wait(pid: int, *, seconds: float) -> int | None:
    """Exit code of a child that ends within ``seconds``, or None."""
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.001)


def run_campaign(campaign: Campaign, main: Callable[[], int]) -> Survived:
    """Kill until the number is reached, then let the engine finish.

    A life is drawn from an exponential distribution whose mean spreads the kills over the run and
    leaves room for start-up, so that kills hit starting, trading and committing alike.

    Raises:
        EngineDied: an engine ended with an error of its own.
    """
    rng = np.random.default_rng(campaign.seed)
    mean = 0.15 + campaign.undisturbed_seconds / (1.5 * max(campaign.kills, 1))
    began, kills, lives = time.monotonic(), 0, 0
    while True:
        pid = fork(main)
        lives += 1
        life = float(rng.exponential(mean)) if kills < campaign.kills else float("inf")
        code = wait(pid, seconds=life)
        if code is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            kills += 1
            continue
        if code != 0:
            raise EngineDied(f"the engine ended with exit code {code} in life {lives}")
        return Survived(kills, lives, time.monotonic() - began)
