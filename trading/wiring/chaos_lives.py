"""One life of an engine in the campaign: everything real but the pace of time."""

import signal
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import uvloop
from django.conf import settings

from trading.chaos.booked import Close, with_books
from trading.chaos.conductor import Conductor, is_done, pace_of
from trading.chaos.days import Day, Death
from trading.chaos.perils import Peril
from trading.chaos.planted import BUGS
from trading.chaos.stormy import stormy_bars
from trading.chaos.venue import Door
from trading.chaos.wires import SYMBOL, WIRES
from trading.engine.errors import NotLeader
from trading.engine.handler import Pace
from trading.engine.runner import Outcome
from trading.engine.watch import Rhythm
from trading.exchanges.booked_feed import BookedFeed
from trading.exchanges.venue_clock import VenueClock
from trading.wiring.chaos_rows import Rows
from trading.wiring.engines import EngineProcess
from trading.wiring.plans import read_plan
from trading.wiring.streets import Street, nothing_to_watch

SHORT_LEASE = (2.0, 0.4, 1.4)
QUICK = Pace(decisions_per_commit=20, resolve_seconds=0.01)
OFTEN = Rhythm(look=1.2, confirm=0.1)  # a second of the venue's lasts a fiftieth while it is asked
MOST_COMMIT_SECONDS = 0.15  # where the journal is slow on purpose
NOWHERE = "redis://127.0.0.1:1/0"


class SteppedClock(VenueClock):
    """The venue's time where it stands still between steps."""

    def __init__(self) -> None:
        super().__init__()
        self._now_ns = 0

    def hear(self, stamp_ns: int) -> None:
        """A stamp of the venue's."""
        self._now_ns = max(self._now_ns, stamp_ns)

    def now_ns(self) -> int:
        """The newest stamp."""
        return self._now_ns or time.time_ns()


def put(place: Any, name: str, value: Any) -> None:
    """Replace what is there; a bug that replaces nothing proves nothing.

    Raises:
        AttributeError: there is no such thing any more.
    """
    getattr(place, name)
    setattr(place, name, value)


def _as_heard(
    conductor: Conductor, day: Day, address: str, clock: VenueClock
) -> tuple[Conductor | BookedFeed, Close]:
    """The market's news of this day, with its order books where it has them, and how to hang up."""
    if not day.has_books:
        return conductor, conductor.close
    return with_books(conductor, venue=day.venue, address=address, symbols=[SYMBOL], clock=clock)


def _on(day: Day) -> Rhythm:
    return replace(OFTEN, most_commit=MOST_COMMIT_SECONDS) if day.slow_journal else OFTEN


def live(rows: Rows, address: str, day: Day, death: Death, plant: str) -> int:
    """One life, in a process of its own; 0 when the day is over."""
    settings.LEASE_SECONDS = SHORT_LEASE
    if not day.has_redis:
        settings.REDIS_URL = NOWHERE
    if plant:
        BUGS[plant].plant(put)
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    clock, wire = SteppedClock(), WIRES[day.wire]
    number = signal.SIGSTOP if death.hangs else signal.SIGKILL
    peril = Peril(death.point, death.nth, number, in_flight_seconds=death.seconds)

    async def main() -> Outcome:
        door = Door(address, day.troubles)

        async def advance(to_ns: int) -> float:
            price = await door.advance(to_ns)
            clock.hear(to_ns)
            return price

        bars, settles = stormy_bars(day.seed, day.bars), wire.settles_seconds
        conductor = Conductor(bars, advance, door.before_bar, door.heal, settles_seconds=settles)
        feed, leave = _as_heard(conductor, day, address, clock)
        venue, _, hang_up = wire.connect(address=address, specs=plan.specs, clock=clock, feed=feed)

        async def close() -> None:
            for one in (door.close, leave, hang_up):
                await one()

        street = Street(feed, venue, nothing_to_watch, close)
        process = EngineProcess(
            plan=plan, speed=None, street=street, pace=QUICK, rhythm=_on(day), around=peril.around
        )
        conductor.is_idle = lambda: feed.is_quiet and venue.is_quiet and is_done(process.runner)
        conductor.most_seconds = pace_of(process.runner)
        return await process.run()

    with suppress(NotLeader):
        return 0 if uvloop.run(main()) is Outcome.FINISHED else 1
    return 1
