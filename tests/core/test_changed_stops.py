"""A resting stop that somebody changed: what is tighter is kept, everything else is put right."""

import numpy as np
import pytest

from tests.core.test_venue_news import LOTS, STOP_TICKS, Desk
from trading.core import pipeline
from trading.core.codes import Purpose


def found(desk: Desk, ticks: int, *, is_whole: bool) -> list[np.void]:
    asked = (ticks, is_whole, desk.now_ns, desk.intents)
    return list(desk.intents[: pipeline.on_stop(desk.markets, 0, *asked)].copy())


@pytest.mark.parametrize(
    ("ticks", "is_whole", "belongs"),
    [
        (STOP_TICKS - 1, True, STOP_TICKS),
        (STOP_TICKS - 1, False, STOP_TICKS),
        (STOP_TICKS, False, STOP_TICKS),
        (STOP_TICKS + 1, False, STOP_TICKS + 1),
    ],
)
def test_a_looser_or_a_partial_stop_is_moved_to_where_it_belongs(
    ticks: int, is_whole: bool, belongs: int
) -> None:
    desk = Desk.fresh()
    stop = desk.hold(0)

    (move,) = found(desk, ticks, is_whole=is_whole)

    assert (move["purpose"], move["replaces_seq"]) == (Purpose.MOVE_STOP, stop)
    assert (move["quantity_lots"], move["price_ticks"]) == (LOTS, belongs)
    assert desk.markets[0]["position"]["stop_ticks"] == belongs


def test_a_tighter_stop_is_kept_and_nothing_is_asked_for() -> None:
    desk = Desk.fresh()
    stop = desk.hold(0)

    assert found(desk, STOP_TICKS + 7, is_whole=True) == []

    position = desk.markets[0]["position"]
    assert (position["stop_ticks"], position["stop_seq"]) == (STOP_TICKS + 7, stop)


@pytest.mark.parametrize("state", ["flat", "leaving", "stop refused"])
def test_nothing_is_changed_where_the_stop_is_not_the_positions(state: str) -> None:
    desk = Desk.fresh()
    stop = desk.hold(0)
    if state == "flat":
        desk.tell(0, stop, Purpose.PROTECT, LOTS, STOP_TICKS)
    elif state == "leaving":
        desk.leave(0)
    else:
        desk.tell(0, stop, Purpose.PROTECT, 0)
    before = desk.bytes()

    assert found(desk, STOP_TICKS - 1, is_whole=False) == []
    assert desk.bytes() == before
