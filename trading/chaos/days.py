"""What a day of the campaign brings, drawn from its seed alone."""

from dataclasses import dataclass

import numpy as np

from trading.chaos.perils import IN_FLIGHT_SECONDS, POINTS

BARS = (160, 300)
TROUBLES: tuple[tuple[str, str, str], ...] = (
    ("request_lost", "AddOrder", ""),
    ("reply_lost", "AddOrder", ""),
    ("page_520", "AddOrder", ""),
    ("error", "AddOrder", "EService:Unavailable"),
    ("error", "AddOrder", "EOrder:Rate limit exceeded"),
    ("error", "AddOrder", "EAPI:Invalid nonce"),
    ("error", "AddOrder", "EOrder:Insufficient funds"),
    ("error", "AddOrder", "EGeneral:Internal error"),
    ("reply_lost", "AmendOrder", ""),
    ("request_lost", "AmendOrder", ""),
    ("error", "AmendOrder", "EOrder:Invalid order"),
    ("reply_lost", "CancelOrder", ""),
    ("request_lost", "CancelOrder", ""),
    ("error", "QueryOrders", "EAPI:Rate limit exceeded"),
    ("page_520", "OpenOrders", ""),
    ("page_520", "ClosedOrders", ""),
    ("drop", "executions", ""),
    ("duplicate", "executions", ""),
    ("not_json", "executions", ""),
    ("sockets", "", ""),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault of the venue's, armed every so many bars."""

    kind: str
    where: str
    words: str
    every: int


@dataclass(frozen=True, slots=True)
class Death:
    """How one life ends: at a point met for the n-th time, or, without one, after ``seconds``."""

    point: str = ""
    nth: int = 1
    seconds: float = 0.0
    hangs: bool = False  # SIGSTOP instead; woken when another leads


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that will go wrong."""

    seed: int
    bars: int
    troubles: tuple[Trouble, ...] = ()
    deaths: tuple[Death, ...] = ()
    database_cut_seconds: float = 0.0
    pause_after: int = 0  # decisions; 0: nobody pauses
    has_redis: bool = True
    has_foreign_order: bool = False
    with_limits: bool = False  # entries by limit, not at the market

    def __str__(self) -> str:
        told = [f"{one.kind} {one.where}".strip() for one in self.troubles]
        told += [("hang " if d.hangs else "die ") + (d.point or "at random") for d in self.deaths]
        told += ["database cut"] if self.database_cut_seconds else []
        told += ["pause"] if self.pause_after else []
        told += [] if self.has_redis else ["no redis"]
        told += ["foreign order"] if self.has_foreign_order else []
        told += ["limits"] if self.with_limits else []
        return ", ".join(told) or "calm"


def draw(seed: int) -> Day:
    """The day of a seed."""
    rng = np.random.default_rng([seed, 20_261_121])
    bars = int(rng.integers(*BARS))
    chosen = rng.choice(len(TROUBLES), size=int(rng.integers(0, 4)), replace=False)
    return Day(
        seed=seed,
        bars=bars,
        troubles=tuple(_trouble(int(k), rng) for k in chosen),
        deaths=tuple(_death(rng) for _ in range(int(rng.integers(0, 6)))),
        database_cut_seconds=float(rng.uniform(0.2, 2.0)) if rng.random() < 0.15 else 0.0,
        pause_after=int(rng.integers(60, bars)) if rng.random() < 0.15 else 0,
        has_redis=bool(rng.random() > 0.1),
        has_foreign_order=bool(rng.random() < 0.15),
        with_limits=bool(rng.random() < 0.3),
    )


def _trouble(k: int, rng: np.random.Generator) -> Trouble:
    kind, where, words = TROUBLES[k]
    return Trouble(kind, where, words, every=int(rng.integers(4, 30)))


def _death(rng: np.random.Generator) -> Death:
    hangs = bool(rng.random() < 0.04)
    if rng.random() < 0.3:
        return Death(seconds=float(rng.exponential(0.6)) + 0.05, hangs=hangs)
    point = POINTS[int(rng.integers(len(POINTS)))]
    seconds = float(rng.uniform(0, IN_FLIGHT_SECONDS))
    return Death(point, nth=int(rng.integers(1, 4)), seconds=seconds, hangs=hangs)
