"""One day of the campaign: a venue, an engine's lives until the day is over, and the judgement."""

import os
import signal
import time
from dataclasses import dataclass, field

from django.db import connections
from django.utils import timezone

from tenants.scoping import tenant_scope
from trading import operations
from trading.chaos.checker import compare, replay
from trading.chaos.days import LATE, Day, Death
from trading.chaos.kills import fork
from trading.chaos.stormy import stormy_bars
from trading.chaos.venue import VenueProcess
from trading.chaos.wires import FOREIGN, WIRES
from trading.models import Decision, EngineCommand
from trading.wiring.chaos_lives import SHORT_LEASE, live
from trading.wiring.chaos_rows import Rows, count_slow, cut_database, make_rows, read_books
from trading.wiring.chaos_spells import Spells

LONGEST_DAY_SECONDS = 240.0  # a machine that is busy with other things proves nothing against us
LONGEST_PLANTED_SECONDS = 30.0  # with a bug a day need not end
NOT_OVER = "the day was not over"
WAKE_AFTER_SECONDS = 1.0
LOOK_SECONDS = 0.004
COUNT_SECONDS = 0.05  # between two looks into the database


@dataclass(slots=True)
class Verdict:
    """What came of a day."""

    seed: int
    plan: str
    differences: list[str]
    orders: int = 0
    fills: int = 0
    lives: int = 0
    hung: int = 0  # of them
    slow: int = 0  # holds because the journal was slow
    naked_seconds: float = 0.0
    seconds: float = 0.0
    plant: str = ""
    venue: str = "kraken"
    name: str = ""  # of a day that was not drawn

    @property
    def is_shown(self) -> bool:
        """Whether something differs besides the time it took."""
        return any(not words.startswith(NOT_OVER) for words in self.differences)


@dataclass(slots=True)
class Course:
    """A day as it goes: the process that lives, and what its ends were."""

    day: Day
    rows: Rows
    venue: VenueProcess
    plant: str = ""
    lives: int = 0
    hangs: int = 0
    hung: list[int] = field(default_factory=list)  # now
    pause_id: str = ""
    is_pause_noted: bool = False
    counted_at: float = 0.0
    spells: Spells = field(init=False)

    def __post_init__(self) -> None:
        self.spells = Spells(list(self.day.slow_journal))

    def run(self) -> list[str]:
        """Live until the day is over; what went wrong besides the books."""
        deaths, began = list(self.day.deaths), time.monotonic()
        longest = LONGEST_PLANTED_SECONDS if self.plant else LONGEST_DAY_SECONDS
        cut_at = began + self.day.database_cut_seconds if self.day.database_cut_seconds else 0.0
        while time.monotonic() - began < longest:
            death = deaths.pop(0) if deaths else Death()
            pid, born = self._start(death), time.monotonic()
            while True:
                ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
                if ended and os.WIFSTOPPED(status):
                    self.hung.append(pid)
                    self.hangs += 1
                    break
                if ended:
                    if os.waitstatus_to_exitcode(status) == 0:
                        return []
                    break
                self._look_after(pid, death, born)
                if cut_at and time.monotonic() > cut_at:
                    cut_at = 0.0
                    cut_database()
                if time.monotonic() - began > longest:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    break
                time.sleep(LOOK_SECONDS)
        return [f"{NOT_OVER} after {longest:.0f} s"]

    def _start(self, death: Death) -> int:
        connections.close_all()  # no connection may cross a fork
        self.spells.let_go()
        self.lives += 1
        return fork(lambda: live(self.rows, self.venue.address, self.day, death, self.plant))

    def _look_after(self, pid: int, death: Death, born: float) -> None:
        """Kill what is due, wake what hung, pause when it is time; the journal is slow when that is."""
        self.spells.look()
        age = time.monotonic() - born
        if death.seconds and not death.point and age > death.seconds:
            os.kill(pid, signal.SIGSTOP if death.hangs else signal.SIGKILL)
        if self.hung and age > WAKE_AFTER_SECONDS + SHORT_LEASE[0]:
            self.wake()
        is_due = time.monotonic() - self.counted_at > COUNT_SECONDS
        if self.day.pause_after and not self.is_pause_noted and is_due:
            self._pause()
            self.counted_at = time.monotonic()

    def wake(self) -> None:
        """Let the hung go on, and see it leave; nothing keeps the journal from it."""
        self.spells.let_go()
        for pid in self.hung:
            os.kill(pid, signal.SIGCONT)
        for pid in self.hung:
            os.waitpid(pid, 0)
        self.hung.clear()

    def _pause(self) -> None:
        with tenant_scope(self.rows.tenant_id):
            if not self.pause_id and Decision.objects.count() >= self.day.pause_after:
                command = operations.pause_engine(
                    engine_id=self.rows.engine_id,
                    actor=None,
                    reason="campaign",
                    idempotency_key=f"pause-{self.rows.engine_id}",
                    now=timezone.now(),
                )
                self.pause_id = str(command.id)
            done = self.pause_id and EngineCommand.objects.exclude(finished_at=None).filter(
                id=self.pause_id
            )
            if done and done.exists():
                self.venue.ask("note", words="paused")
                self.is_pause_noted = True


def run_day(day: Day, *, plant: str = "") -> Verdict:
    """The whole day and its judgement; with ``plant`` the engine carries that bug."""
    began = time.monotonic()
    bars, wire = stormy_bars(day.seed, day.bars), WIRES[day.wire]
    slug = plant.replace("_", "-") or day.name or f"day-{day.venue}-{day.seed}"
    rows = make_rows(slug, venue=day.venue, with_limits=day.with_limits)
    venue = VenueProcess.start(bars, wire=wire, has_foreign_order=day.has_foreign_order)
    course = Course(day, rows, venue, plant)
    try:
        wrong = course.run()
        course.wake()
        oracle, books = wire.as_told(venue.oracle()), read_books(rows)
        by_rest = [one for one in day.troubles if one.where in LATE[day.venue]]
        is_late = any(one.kind == "request_late" for one in by_rest)
        if course.hangs or is_late:  # requests with one key overtake each other
            oracle = [event for event in oracle if event["kind"] != "invalid_nonce"]
    finally:
        course.spells.let_go()
        venue.stop()
        for pid in course.hung:
            os.kill(pid, signal.SIGKILL)
    foreign = (FOREIGN,) if day.has_foreign_order else ()
    wrong += compare(oracle, books, funds=rows.cash, foreign=foreign)
    return Verdict(
        seed=day.seed,
        plan=str(day),
        differences=wrong,
        orders=sum(event["kind"] == "order" for event in oracle),
        fills=sum(event["kind"] == "fill" for event in oracle),
        lives=course.lives,
        hung=course.hangs,
        slow=count_slow(rows),
        naked_seconds=replay(oracle, books).naked_ns / 1e9,
        seconds=time.monotonic() - began,
        plant=plant,
        venue=day.venue,
        name=day.name,
    )
