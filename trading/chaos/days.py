"""What a day of the campaign brings, drawn from its seed alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trading.chaos.perils import COMMAND_POINTS, IN_FLIGHT_SECONDS, PART_POINTS, POINTS

BARS = (160, 300)
Words = tuple[str, str, str]  # kind, where, what is said
AT_KRAKEN: tuple[Words, ...] = (
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
BY_SOCKET: tuple[Words, ...] = (
    ("request_lost", "add_order", ""),
    ("reply_lost", "add_order", ""),
    ("reply_dropped", "add_order", ""),
    ("reply_late", "add_order", ""),
    ("reply_twice", "add_order", ""),
    ("error", "add_order", "EService:Unavailable"),
    ("error", "add_order", "EOrder:Rate limit exceeded"),
    ("error", "add_order", "EAPI:Invalid token"),
    ("error", "add_order", "EOrder:Insufficient funds"),
    ("error", "add_order", "EService:Deadline elapsed"),
    ("reply_lost", "amend_order", ""),
    ("reply_dropped", "amend_order", ""),
    ("request_lost", "amend_order", ""),
    ("error", "amend_order", "EOrder:Invalid order"),
    ("reply_lost", "cancel_order", ""),
    ("reply_late", "cancel_order", ""),
    ("request_lost", "cancel_order", ""),
    ("reply_lost", "AddOrder", ""),  # beside the socket, while it is gone
    ("error", "GetWebSocketsToken", "EAPI:Rate limit exceeded"),
    ("error", "QueryOrders", "EAPI:Rate limit exceeded"),
    ("page_520", "ClosedOrders", ""),
    ("drop", "executions", ""),
    ("duplicate", "executions", ""),
    ("not_json", "executions", ""),
    ("sockets", "", ""),
)
WITH_SWITCH: tuple[Words, ...] = (
    *BY_SOCKET,
    ("request_lost", "CancelAllOrdersAfter", ""),
    ("reply_lost", "CancelAllOrdersAfter", ""),
    ("page_520", "CancelAllOrdersAfter", ""),
    ("error", "CancelAllOrdersAfter", "EAPI:Rate limit exceeded"),
)
AT_COINBASE: tuple[Words, ...] = (
    ("request_lost", "orders", ""),
    ("reply_lost", "orders", ""),
    ("page_520", "orders", ""),
    ("server_error", "orders", ""),
    ("rate_limited", "orders", ""),
    ("unauthorized", "orders", ""),
    ("error", "orders", "a field is invalid"),
    ("reply_lost", "orders/batch_cancel", ""),
    ("request_lost", "orders/batch_cancel", ""),
    ("server_error", "orders/batch_cancel", ""),
    ("late_fill", "orders/batch_cancel", ""),
    ("rate_limited", "orders/historical/{order_id}", ""),
    ("unknown_enum", "orders/historical/{order_id}", ""),
    ("page_520", "orders/historical/batch", ""),
    ("reply_lost", "orders/historical/fills", ""),
    ("drop", "user", ""),
    ("duplicate", "user", ""),
    ("not_json", "user", ""),
    ("replay", "user", ""),
    ("unknown_enum", "user", ""),
    ("close", "user", ""),
    ("sockets", "", ""),
)
TROUBLES: Mapping[str, tuple[Words, ...]] = {
    "kraken": AT_KRAKEN,
    "kraken-socket": BY_SOCKET,
    "kraken-switch": WITH_SWITCH,
    "coinbase": AT_COINBASE,
}
BOOKS: Mapping[str, tuple[Words, ...]] = {
    "kraken": (
        ("drop", "book", ""),  # lost: the next checksum is another
        ("duplicate", "book", ""),
        ("bad_checksum", "book", ""),
        ("not_json", "book", ""),
    ),
    "coinbase": (
        ("drop", "l2_data", ""),
        ("duplicate", "l2_data", ""),
        ("silent", "l2_data", ""),
        ("not_json", "l2_data", ""),
        ("unknown_enum", "l2_data", ""),
        ("close", "l2_data", ""),
    ),
}
WAYS, CHANCES = ("", "socket", "switch"), (0.45, 0.35, 0.2)
VENUES = ("coinbase", "kraken")
FIRST_OF_PARTS = 1000  # from this seed on days draw deaths within the parts of an order's life, too
FIRST_OF_BOOKS = 10_000  # from this seed on days may have order books, and troubles with them
FIRST_OF_LATE = 40_000  # from this seed on requests may arrive long after their senders gave up
FIRST_OF_LATE_FRAMES = 50_000  # from this seed on, over Kraken's socket too
BARS_BETWEEN = (25, 80)  # troubles of books: a new connection takes longer than twenty bars
FIRST_OF_SLOW = 60_000  # from this seed on the journal may be slow for a while
LATE_SECONDS = 1.4  # after a day's patience for an answer
SILENT_SECONDS = 0.3  # some ten bars without a frame
ON_THE_WAY_SECONDS = 4.0  # of the market's time; an order's deadline is ten seconds
LASTS: Mapping[str, float] = {
    "reply_late": LATE_SECONDS,
    "silent": SILENT_SECONDS,
    "request_late": ON_THE_WAY_SECONDS,
}
LATE: Mapping[str, tuple[str, ...]] = {
    "kraken": ("AddOrder", "AmendOrder", "CancelOrder"),
    "coinbase": ("orders", "orders/batch_cancel"),
    "kraken-frames": ("add_order", "amend_order", "cancel_order"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault of the venue's, armed every so many bars."""

    kind: str
    where: str
    words: str
    every: int

    @property
    def seconds(self) -> float:
        """How late what is late comes, on whose clock so ever, and how long silence is."""
        return LASTS.get(self.kind, 0.0)


@dataclass(frozen=True, slots=True)
class Death:
    """How one life ends: at a point met for the n-th time, or, without one, after ``seconds``."""

    point: str = ""
    nth: int = 1
    seconds: float = 0.0
    hangs: bool = False  # SIGSTOP instead; woken when another leads


@dataclass(frozen=True, slots=True)
class Spell:
    """The journal keeps nothing: from so many seconds after the day began, for so long."""

    begins: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that will go wrong."""

    seed: int
    bars: int
    venue: str = "kraken"  # whose wire it is
    troubles: tuple[Trouble, ...] = ()
    deaths: tuple[Death, ...] = ()
    database_cut_seconds: float = 0.0
    pause_after: int = 0  # decisions; 0: nobody pauses
    has_redis: bool = True
    has_foreign_order: bool = False
    with_limits: bool = False  # entries by limit, not at the market
    # socket: Kraken's orders over it where they can; switch: its dead-man switch as well
    way: str = ""
    has_books: bool = False  # each bar is decided with the order book of that moment
    slow_journal: tuple[Spell, ...] = ()
    name: str = ""  # of one that is not drawn

    @property
    def wire(self) -> str:
        """Which of the wires there are."""
        return f"{self.venue}-{self.way}" if self.way else self.venue

    def __str__(self) -> str:
        told = [f"{one.kind} {one.where}".strip() for one in self.troubles]
        told += [("hang " if d.hangs else "die ") + (d.point or "at random") for d in self.deaths]
        told += ["database cut"] if self.database_cut_seconds else []
        told += ["pause"] if self.pause_after else []
        told += [] if self.has_redis else ["no redis"]
        told += ["foreign order"] if self.has_foreign_order else []
        told += ["limits"] if self.with_limits else []
        told += [f"by {self.way}"] if self.way else []
        told += ["books"] if self.has_books else []
        told += ["slow journal"] if self.slow_journal else []
        return ", ".join(told) or "calm"


def draw(seed: int, *, venue: str) -> Day:
    """The day of a seed at this venue."""
    way = _way(seed) if venue == "kraken" else ""
    all_ = TROUBLES[f"{venue}-{way}" if way else venue]
    rng = np.random.default_rng([seed, 20_261_121])
    bars = int(rng.integers(*BARS))
    chosen = rng.choice(len(all_), size=int(rng.integers(0, 4)), replace=False)
    drawn = Day(
        seed=seed,
        bars=bars,
        venue=venue,
        troubles=tuple(_trouble(all_[int(k)], rng) for k in chosen),
        deaths=tuple(_death(rng) for _ in range(int(rng.integers(0, 6)))),
        database_cut_seconds=float(rng.uniform(0.2, 2.0)) if rng.random() < 0.15 else 0.0,
        pause_after=int(rng.integers(60, bars)) if rng.random() < 0.15 else 0,
        has_redis=bool(rng.random() > 0.1),
        has_foreign_order=bool(rng.random() < 0.15),
        with_limits=bool(rng.random() < 0.3) or way == "switch",
        way=way,
    )
    if drawn.pause_after and rng.random() < 0.5:
        last = Death(COMMAND_POINTS[int(rng.integers(len(COMMAND_POINTS)))])
        drawn = replace(drawn, deaths=(*drawn.deaths, last))
    drawn = replace(drawn, deaths=(*_within_parts(seed), *drawn.deaths))
    return _with_slow_journal(_with_latecomers(_with_books(drawn)))


def _with_latecomers(day: Day) -> Day:
    has_frames = bool(day.way) and day.seed >= FIRST_OF_LATE_FRAMES
    all_ = LATE[f"{day.venue}-frames" if has_frames else day.venue]
    rng = np.random.default_rng([day.seed, 20_261_125])
    if day.seed < FIRST_OF_LATE or rng.random() < 0.5:
        return day
    late = _trouble(("request_late", all_[int(rng.integers(len(all_)))], ""), rng)
    return replace(day, troubles=(*day.troubles, late))


def _with_slow_journal(day: Day) -> Day:
    rng = np.random.default_rng([day.seed, 20_261_126])
    if day.seed < FIRST_OF_SLOW or rng.random() < 0.5:
        return day
    begins = np.cumsum(rng.uniform(0.3, 2.0, size=int(rng.integers(1, 6))))
    spells = (Spell(float(at), float(rng.uniform(0.2, 1.2))) for at in begins)
    return replace(day, slow_journal=tuple(spells))


def _within_parts(seed: int) -> tuple[Death, ...]:
    if seed < FIRST_OF_PARTS:
        return ()
    rng = np.random.default_rng([seed, 20_261_123])
    drawn = [_death(rng, PART_POINTS) for _ in range(int(rng.integers(0, 3)))]
    return tuple(replace(one, nth=1) for one in drawn)  # some days have few of a part


def _with_books(day: Day) -> Day:
    rng, all_ = np.random.default_rng([day.seed, 20_261_124]), BOOKS[day.venue]
    if day.seed < FIRST_OF_BOOKS or rng.random() < 0.3:
        return day
    chosen = rng.choice(len(all_), size=int(rng.integers(0, 3)), replace=False)
    drawn = [_trouble(all_[int(k)], rng) for k in chosen]
    spoilt = [replace(one, every=int(rng.integers(*BARS_BETWEEN))) for one in drawn]
    return replace(day, has_books=True, troubles=(*day.troubles, *spoilt))


def _way(seed: int) -> str:
    return str(np.random.default_rng([seed, 20_261_122]).choice(WAYS, p=CHANCES))


def _trouble(told: Words, rng: np.random.Generator) -> Trouble:
    kind, where, words = told
    return Trouble(kind, where, words, every=int(rng.integers(4, 30)))


def _death(rng: np.random.Generator, points: Sequence[str] = POINTS) -> Death:
    hangs = bool(rng.random() < 0.04)
    if rng.random() < 0.3:
        return Death(seconds=float(rng.exponential(0.6)) + 0.05, hangs=hangs)
    point = points[int(rng.integers(len(points)))]
    seconds = float(rng.uniform(0, IN_FLIGHT_SECONDS))
    return Death(point, nth=int(rng.integers(1, 4)), seconds=seconds, hangs=hangs)
