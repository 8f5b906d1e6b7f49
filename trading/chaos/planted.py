"""Believable bugs, one at a time: checks that overlook one of them prove nothing.

Each replaces a piece of the real code through ``put`` (``setattr`` in an engine of the campaign, which
ends with its process; a test's own, which is taken back) and names the day on which it must show.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trading.chaos import bugs_at_coinbase as coinbase
from trading.chaos import bugs_at_the_venue as venue
from trading.chaos import bugs_in_the_engine as engine
from trading.chaos import bugs_of_the_switch as switch
from trading.chaos import bugs_on_the_socket as socket
from trading.chaos.days import Day, Death, Trouble

Put = Callable[[Any, str, Any], None]
BARS = 160


@dataclass(frozen=True, slots=True)
class Bug:
    """How it comes in, and on which day it must show; ``needs_journal``: only with real rows."""

    plant: Callable[[Put], None]
    day: Day
    needs_journal: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return self.plant.__name__


def _day(
    *troubles: tuple[str, str], every: int = 4, seed: int = 7, bars: int = BARS, **more: Any
) -> Day:
    told = tuple(Trouble(kind, where, "", every) for kind, where in troubles)
    return Day(seed=seed, bars=bars, troubles=told, **more)


def _at_coinbase(*troubles: tuple[str, str], **more: Any) -> Day:
    return _day(*troubles, venue="coinbase", **more)


LOST_REPLY = ("reply_lost", "AddOrder")
LOST_ANSWER = ("reply_lost", "add_order")
WITH_EXITS = {"seed": 17, "bars": 220}  # markets in which what the bug concerns does happen
WITH_PARTS = {"seed": 1, "bars": 220}
DIES = tuple(Death("after_answer") for _ in range(6))
HANGS = (Death("after_commit", nth=1, hangs=True), Death("after_commit", nth=2, hangs=True))
AFTER_THE_PAUSE = (Death("after_command_commit"),)
LOST_ORDER = ("reply_lost", "orders")
UNKNOWN_STATUS = ("unknown_enum", "orders/historical/{order_id}")
LATE_FILL = ("late_fill", "orders/batch_cancel")

ALL = (
    Bug(venue.timeout_means_refused, _day(LOST_REPLY)),
    Bug(venue.resend_under_a_new_id, _day(LOST_REPLY)),
    Bug(venue.look_at_open_orders_only, _day(LOST_REPLY)),
    Bug(venue.never_ask_again, _day(LOST_REPLY, bars=40)),
    Bug(venue.place_a_second_stop, _day()),
    Bug(venue.sell_with_the_stop_resting, _day(**WITH_EXITS)),
    Bug(venue.sell_a_part_beside_the_stop, _day(**WITH_PARTS)),
    Bug(venue.sell_a_lot_too_much, _day()),
    Bug(engine.never_protect, _day()),
    Bug(venue.protect_the_wrong_side, _day()),
    Bug(engine.book_one_fill_an_order, _day(**WITH_EXITS, with_limits=True)),
    Bug(venue.overlook_missing_messages, _day(("drop", "executions"), every=2)),
    Bug(venue.read_the_wrong_quantity, _day()),
    Bug(venue.reckon_fees, _day()),
    Bug(venue.forget_fees, _day()),
    Bug(venue.book_the_wrong_price, _day()),
    Bug(engine.sell_the_customers_coins, _day(**WITH_EXITS)),
    Bug(venue.count_nonces_in_seconds, _day()),
    Bug(venue.name_orders_at_random, _day()),
    Bug(socket.try_the_other_road, _day(LOST_ANSWER, bars=64, way="socket")),
    Bug(socket.hear_on_after_a_gap, _day(("drop", "executions"), way="socket")),
    Bug(switch.leave_it_on, _day(with_limits=True, way="switch")),
    Bug(engine.send_before_commit, _day(deaths=DIES), needs_journal=True),
    Bug(engine.send_what_was_planned, _day(deaths=DIES), needs_journal=True),
    Bug(engine.act_after_leadership, _day(deaths=HANGS), needs_journal=True),
    Bug(engine.pause_in_memory, _day(deaths=AFTER_THE_PAUSE, pause_after=40), needs_journal=True),
    Bug(coinbase.take_silence_for_a_no, _at_coinbase(("server_error", "orders"), LOST_ORDER)),
    Bug(coinbase.ask_again_under_another_id, _at_coinbase(LOST_ORDER)),
    Bug(coinbase.search_open_orders_only, _at_coinbase(LOST_ORDER)),
    Bug(coinbase.take_the_unknown_for_over, _at_coinbase(UNKNOWN_STATUS)),
    Bug(coinbase.believe_cancellations, _at_coinbase(LATE_FILL)),
    Bug(coinbase.place_the_new_stop_first, _at_coinbase()),
    Bug(coinbase.exit_beside_the_stop, _at_coinbase(**WITH_EXITS)),
    Bug(coinbase.sell_a_part_of_what_is_offered, _at_coinbase(**WITH_PARTS)),
    Bug(coinbase.go_on_after_it_sold, _at_coinbase(LATE_FILL)),
    Bug(coinbase.overlook_gaps, _at_coinbase(("drop", "user"), every=1, with_limits=True, bars=52)),
    Bug(coinbase.book_what_was_filled_so_far, _at_coinbase(**WITH_EXITS, with_limits=True)),
    Bug(coinbase.count_fees_twice, _at_coinbase()),
    Bug(coinbase.name_fills_by_their_order, _at_coinbase()),
    Bug(coinbase.round_fees_to_cents, _at_coinbase()),
    Bug(coinbase.leave_triggered_stops_alone, _at_coinbase(**WITH_EXITS)),
    Bug(coinbase.sell_a_lot_more, _at_coinbase()),
    Bug(coinbase.give_random_ids, _at_coinbase(LOST_ORDER)),
    Bug(coinbase.stop_by_buying, _at_coinbase()),
)
BUGS: Mapping[str, Bug] = {bug.name: bug for bug in ALL}
