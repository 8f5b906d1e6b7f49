"""What no order may sell leaves the core's books, and nothing else ever does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_venue_news import ENTRY_TICKS, LOTS, STOP_TICKS, Desk
from trading.core import pipeline
from trading.core.codes import Purpose


def desk_of(*, lots: int, quantity: int = 10, notional: float = 0.0) -> Desk:
    """A long position of so many lots that cost 100 a unit, its stop refused once."""
    desk = Desk.fresh()
    grid = desk.markets["instrument"]
    grid["min_quantity_lots"], grid["min_notional"] = quantity, notional
    (stop,) = desk.tell(0, desk.ask(0), Purpose.ENTRY, lots, ENTRY_TICKS)
    desk.tell(0, int(stop["seq"]), Purpose.PROTECT, 0)
    return desk


def write_off(desk: Desk) -> int:
    return int(pipeline.on_dust(desk.markets, 0, desk.account, desk.params, desk.now_ns))


def has_dust(desk: Desk) -> bool:
    return bool(pipeline.has_dust(desk.markets, 0))


def test_too_few_lots_are_dust_whatever_they_are_worth() -> None:
    assert has_dust(desk_of(lots=9))
    assert not has_dust(desk_of(lots=10))


@pytest.mark.parametrize(("worth", "is_dust"), [(0.49, True), (0.5, False), (0.99, False)])
def test_what_is_worth_too_little_is_dust_below_half_of_the_least(
    worth: float, is_dust: bool
) -> None:
    desk = desk_of(lots=LOTS)
    value = LOTS * float(desk.markets[0]["instrument"]["lot_size"]) * 100.0
    desk.markets["instrument"]["min_notional"] = value / worth
    desk.markets[0]["last_close"] = 100.0

    assert has_dust(desk) == is_dust


def test_a_price_that_rose_or_was_paid_keeps_it() -> None:
    desk = desk_of(lots=LOTS)
    value = LOTS * float(desk.markets[0]["instrument"]["lot_size"]) * 100.0
    desk.markets["instrument"]["min_notional"] = 4 * value

    desk.markets[0]["last_close"] = 300.0
    assert not has_dust(desk)
    desk.markets[0]["last_close"] = 30.0
    assert has_dust(desk)


@pytest.mark.parametrize("working", ["entry_seq", "stop_seq", "exit_seq"])
def test_nothing_is_dust_while_an_order_works(working: str) -> None:
    desk = desk_of(lots=9)
    desk.markets[0]["position"][working] = 77

    assert not has_dust(desk)
    assert write_off(desk) == 0
    assert desk.markets[0]["position"]["quantity_lots"] == 9


def test_nothing_is_dust_before_the_venue_said_no() -> None:
    desk = desk_of(lots=9)
    desk.markets[0]["position"]["stop_failures"] = 0

    assert not has_dust(desk)


def test_what_is_owed_is_never_dust() -> None:
    desk = desk_of(lots=9)
    desk.markets[0]["position"]["quantity_lots"] = -9

    assert not has_dust(desk)


@settings(max_examples=60, deadline=None)
@given(
    bought=st.integers(20, 10**6),
    rest=st.integers(1, 9),
    ticks=st.integers(9_000, 11_000),
    by_stop=st.booleans(),
)
def test_the_rest_of_a_sale_costs_what_it_cost_and_the_bot_is_flat(
    bought: int, rest: int, ticks: int, by_stop: bool
) -> None:
    desk = Desk.fresh()
    desk.markets["instrument"]["min_quantity_lots"] = 10
    began = float(desk.account["cash"][0])
    (stop,) = desk.tell(0, desk.ask(0), Purpose.ENTRY, bought, ENTRY_TICKS)
    purpose = Purpose.PROTECT if by_stop else Purpose.EXIT
    seq = int(stop["seq"]) if by_stop else desk.leave(0)
    desk.tell(0, seq, purpose, bought - rest, ticks)
    cash = float(desk.account["cash"][0])

    assert write_off(desk) == rest

    position, account = desk.markets[0]["position"], desk.account[0]
    assert (position["quantity_lots"], position["entry_price"], position["stop_ticks"]) == (0, 0, 0)
    assert (account["open_positions"], account["exits"], account["exposure"]) == (0, 1, 0.0)
    assert account["cash"] == cash == account["equity"]
    assert account["realized"] == pytest.approx(cash - began, abs=1e-6)
    assert desk.markets[0]["cooldown"] > 0
    assert write_off(desk) == 0


def test_the_trade_is_learned_from_as_if_its_rest_had_been_sold_at_cost() -> None:
    """A whole position of dust is no loss of a hundred times its risk."""
    desk = desk_of(lots=9)

    write_off(desk)

    assert desk.account["outcomes"][0][0] == 0.0
    lot = float(desk.markets[0]["instrument"]["lot_size"])
    assert desk.account["realized"][0] == pytest.approx(-9 * lot * 100.0)


def test_the_next_entry_begins_flat_and_is_protected() -> None:
    desk = desk_of(lots=9)
    write_off(desk)

    (stop,) = desk.tell(0, desk.ask(0), Purpose.ENTRY, LOTS, ENTRY_TICKS)

    assert (stop["purpose"], stop["quantity_lots"]) == (Purpose.PROTECT, LOTS)
    assert stop["price_ticks"] == STOP_TICKS
    assert desk.account["open_positions"][0] == 1
