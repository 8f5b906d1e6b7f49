"""An answer that is told again is what the venue would say to whoever asks."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges.shared_street import unpacked
from trading.exchanges.failures import ApiError, NoAnswer
from trading.exchanges.shared import words
from trading.exchanges.shared.answers import SETTLE_NS, Answers
from trading.exchanges.shared.kraken import KrakenDialect
from trading.exchanges.venue_clock import VenueClock

NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
BEGIN_NS = 1_780_000_020 * NS
ASK = words.Ask("OHLC", {"pair": "XBTUSD", "interval": 1})


class ManualTime(VenueClock):
    """The venue's time, as a test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self.hear(BEGIN_NS)
        self.at_ns = BEGIN_NS

    def now_ns(self) -> int:
        return self.at_ns


class Venue:
    """Whose running candle changes all the time, and settles a moment after its end."""

    def __init__(self, clock: ManualTime) -> None:
        self.clock, self.asked = clock, 0
        self.error: Exception | None = None

    async def public(self, path: str, /, **_: Any) -> Any:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        if path == "Time":
            return {"unixtime": self.clock.at_ns // NS}
        return rows_at(self.clock.at_ns)

    async def close(self) -> None:
        return


def rows_at(now_ns: int) -> list[tuple[int, int]]:
    """(beginning, when it was last traded) of two candles; trades come in until it has settled."""
    running = now_ns // MINUTE_NS
    return [
        (minute, min(now_ns, (minute + 1) * MINUTE_NS + SETTLE_NS))
        for minute in (running - 1, running)
    ]


def settled(rows: Any, *, now_ns: int) -> list[tuple[int, int]]:
    """What an engine that was told this time takes as final."""
    return [tuple(row) for row in rows if (row[0] + 1) * MINUTE_NS + SETTLE_NS <= now_ns]


def new_answers() -> tuple[Answers, Venue, ManualTime]:
    clock = ManualTime()
    venue = Venue(clock)
    return Answers(rest=venue, dialect=KrakenDialect(), clock=clock), venue, clock


@given(steps=st.lists(st.integers(0, 40_000), min_size=1, max_size=40))
def test_no_engine_is_told_an_old_candle(steps: list[int]) -> None:
    async def play() -> None:
        answers, _, clock = new_answers()
        for milliseconds in steps:
            clock.at_ns += milliseconds * 1_000_000
            told = await answers.public(ASK.path, **ASK.params)
            fresh = settled(rows_at(clock.at_ns), now_ns=clock.at_ns)
            assert [row for row in settled(told, now_ns=clock.at_ns) if row in fresh] == fresh

    asyncio.run(play())


async def test_a_hundred_engines_ask_once_an_interval() -> None:
    answers, venue, clock = new_answers()
    clock.at_ns = BEGIN_NS - BEGIN_NS % MINUTE_NS + 3 * NS

    for _ in range(3):
        first = venue.asked
        await asyncio.gather(*(answers.tell(ASK) for _ in range(100)))
        assert venue.asked == first + 1
        clock.at_ns += MINUTE_NS


async def test_a_moment_after_the_end_of_an_interval_nothing_is_kept() -> None:
    answers, venue, clock = new_answers()
    clock.at_ns = BEGIN_NS - BEGIN_NS % MINUTE_NS + NS

    for _ in range(3):
        await answers.tell(ASK)

    assert venue.asked == 3


async def test_before_the_venue_has_told_its_time_no_candle_is_kept() -> None:
    clock = VenueClock()
    venue = Venue(ManualTime())
    answers = Answers(rest=venue, dialect=KrakenDialect(), clock=clock)

    for _ in range(3):
        await answers.tell(ASK)
    assert venue.asked == 3

    await answers.tell(words.Ask("Time", {}))
    assert clock.has_heard


@pytest.mark.parametrize("error", [ApiError("EService:Busy"), NoAnswer("silence")])
async def test_a_failure_is_told_to_all_who_wait_and_never_again(error: Exception) -> None:
    answers, venue, _ = new_answers()
    venue.error = error

    told = await asyncio.gather(*(answers.tell(ASK) for _ in range(3)))
    venue.error = None
    after = await answers.tell(ASK)

    failed = words.pack(words.Failed(type(error).__name__, str(error)))
    assert told == [failed] * 3
    assert (await unpacked(after)).answer == [list(row) for row in rows_at(BEGIN_NS)]
