"""Which of our working orders stand at the venue otherwise than they should."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.engine.fakes import spec
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine import changed
from trading.engine.messages import OrderRequest
from trading.engine.sights import Resting, VenueOrder
from trading.engine.state import new_markets

SPEC = spec()
LOTS, TICKS = 400, 250_000
COUNTS = some.integers(1, 10**6)


def resting(
    purpose: Purpose = Purpose.PROTECT, *, lots: int = LOTS, ticks: int = TICKS, filled: int = 0
) -> Resting:
    """An order of ours as it was asked for."""
    side = Side.BUY if purpose == Purpose.ENTRY else Side.SELL
    order = OrderRequest(
        market=0, seq=7, client_order_id="c", at_ns=1, purpose=purpose, side=side,
        quantity_lots=lots, price_ticks=ticks, expires_ns=0, replaces_seq=0,
        reason=ExitReason.STOP, deadline_ns=2**62,
    )  # fmt: skip
    stands = VenueOrder(
        "c", "V1", side.name, purpose != Purpose.ENTRY, lots * SPEC.lot_size, ticks * SPEC.tick_size
    )
    return Resting(order, stands, filled * SPEC.lot_size)


def found(one: Resting, *, held: int = LOTS, stop: int = TICKS) -> list[changed.Change]:
    markets = new_markets([SPEC])
    markets[0]["position"]["quantity_lots"], markets[0]["position"]["stop_ticks"] = held, stop
    return changed.find([one], specs=[SPEC], markets=markets)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_what_stands_as_it_was_asked_for_is_right_whatever_the_books_say(
    lots: int, ticks: int, held: int, stop: int
) -> None:
    assert found(resting(lots=lots, ticks=ticks), held=held, stop=stop) == []
    assert found(resting(Purpose.ENTRY, lots=lots, ticks=ticks), held=held, stop=stop) == []


@given(COUNTS, COUNTS, some.integers(0, 10**6))
def test_what_is_left_of_a_stop_is_right_where_the_position_has_no_more(
    lots: int, asked: int, filled: int
) -> None:
    one = resting(lots=asked)
    stands = replace(one.stands, quantity=(lots + filled) * SPEC.lot_size)

    assert found(replace(one, stands=stands, filled=filled * SPEC.lot_size), held=lots) == []


@given(COUNTS, COUNTS)
def test_a_stop_is_told_of_unless_it_was_made_tighter_alone(lots: int, ticks: int) -> None:
    one = resting()
    level, quantity = ticks * SPEC.tick_size, lots * SPEC.lot_size
    changes = found(replace(one, stands=replace(one.stands, quantity=quantity, level=level)))

    if (lots, ticks) == (LOTS, TICKS):
        assert changes == []
    else:
        (change,) = changes
        assert (change.is_whole, change.price_ticks) == (lots == LOTS, ticks)
        assert (change.words == "") == (lots == LOTS and ticks > TICKS)


@given(some.decimals(Decimal(1), Decimal(50_000), places=3))
def test_a_trigger_between_two_of_our_ticks_counts_as_the_looser(level: Decimal) -> None:
    one = resting()
    for change in found(replace(one, stands=replace(one.stands, level=level))):
        assert change.price_ticks * SPEC.tick_size <= level
        assert (change.price_ticks + 1) * SPEC.tick_size > level


@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.PROTECT])
def test_the_other_side_is_told_with_both_sides(purpose: Purpose) -> None:
    one = resting(purpose)
    other = "SELL" if purpose == Purpose.ENTRY else "BUY"

    (change,) = found(replace(one, stands=replace(one.stands, side=other)))

    assert not change.is_side
    assert change.words.startswith("BTC/USD: our ")
    assert (
        f"{other} 0.04 at 25000, asked for was {one.asked.side.name} 0.04 at 25000" in change.words
    )


def test_orders_at_the_market_are_left_to_their_news() -> None:
    one = resting(Purpose.EXIT)

    assert found(replace(one, stands=replace(one.stands, quantity=Decimal(1)))) == []
