"""What real venues tell and the simulated one never does: parts, refusals, news that comes late."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from tests.core.play import plain
from tests.core.samples import MINUTE_NS, market
from trading.core import pipeline
from trading.core.codes import ExitReason, Purpose
from trading.core.config.pipeline import PipelineParams
from trading.core.records import BAR, FILL, INTENT, MAX_INTENTS

LOTS, ENTRY_TICKS, STOP_TICKS = 1000, 10_000, 9_900
SECOND_NS = 1_000_000_000
START_NS = 1_600_000_000 * SECOND_NS
PARAMS = plain(PipelineParams())


@dataclass(slots=True)
class Desk:
    """Two markets on one account, told by hand what their venue says."""

    markets: np.ndarray
    account: np.ndarray
    params: np.ndarray
    intents: np.ndarray
    now_ns: int = START_NS

    @classmethod
    def fresh(cls) -> "Desk":
        markets = np.concatenate([market(), market()])
        account, params = pipeline.new_account(10_000.0), pipeline.new_params(PARAMS)
        return cls(markets, account, params, np.zeros(MAX_INTENTS, INTENT))

    def ask(self, m: int) -> int:
        """An entry on its way, as on_bar leaves it; its number."""
        position = self.markets[m]["position"]
        self.markets[m]["intent_seq"] += 1
        position["entry_seq"] = self.markets[m]["intent_seq"]
        position["planned_stop_distance"], position["planned_target_distance"] = 1.0, 50.0
        self.account["open_positions"] += 1
        return int(position["entry_seq"])

    def tell(
        self, m: int, seq: int, purpose: Purpose, lots: int, ticks: int = 0, *, final: int = 1
    ) -> list[np.void]:
        """News of an order; the intents that follow from it."""
        news, side = np.zeros(1, FILL), 1 if purpose == Purpose.ENTRY else -1
        news[0] = (seq, self.now_ns, purpose, side, lots, ticks, 0, 0, 0, final)
        state = (self.markets, m, self.account, self.params)
        return list(self.intents[: pipeline.on_fill(*state, news, 0, self.intents)].copy())

    def hold(self, m: int) -> int:
        """A position with its stop resting; the stop's number."""
        (stop,) = self.tell(m, self.ask(m), Purpose.ENTRY, LOTS, ENTRY_TICKS)
        return int(stop["seq"])

    def tick(self, m: int, price: float, *, minute: int = 1) -> list[np.void]:
        state = (self.markets, m, self.account, self.params)
        now = START_NS + minute * MINUTE_NS
        return list(self.intents[: pipeline.on_tick(*state, now, price, self.intents)].copy())

    def bar(self, m: int, low: float, high: float, close: float) -> list[np.void]:
        bars, decisions = np.zeros(1, BAR), np.zeros(1, pipeline.DECISION)
        details = np.zeros(1, pipeline.DETAIL)
        bars[0] = (START_NS, close, high, low, close, 1.0)
        state = (self.markets, m, self.account, self.params)
        count = pipeline.on_bar(*state, bars, 0, decisions, 0, details, 0, self.intents)
        return list(self.intents[:count].copy())

    def leave(self, m: int) -> int:
        """An operator's exit on its way; its number."""
        self.markets[m]["position"]["exit_requested"] = ExitReason.OPERATOR
        (exit_,) = self.tick(m, 100.0)
        return int(exit_["seq"])

    def bytes(self) -> bytes:
        return self.markets.tobytes() + self.account.tobytes()


@pytest.mark.parametrize("late", [Purpose.EXIT, Purpose.PROTECT, Purpose.MOVE_STOP])
def test_news_of_an_order_that_outlived_its_position_changes_nothing(late: Purpose) -> None:
    desk = Desk.fresh()
    stop = desk.hold(0)
    desk.hold(1)
    exit_ = desk.leave(0)
    desk.tell(0, stop, Purpose.PROTECT, LOTS, STOP_TICKS)
    before = desk.bytes()
    assert desk.account["open_positions"][0] == 1
    assert desk.markets[0]["cooldown"] == PARAMS.risk.cooldown_bars_after_loss

    desk.tell(0, exit_ if late == Purpose.EXIT else stop, late, 0)

    assert desk.bytes() == before


def test_late_news_of_an_old_position_leaves_the_next_entry_on_its_way() -> None:
    desk = Desk.fresh()
    stop = desk.hold(0)
    desk.tell(0, desk.leave(0), Purpose.EXIT, LOTS, ENTRY_TICKS)
    entry = desk.ask(0)
    before = desk.bytes()

    desk.tell(0, stop, Purpose.PROTECT, 0)

    assert desk.bytes() == before
    assert desk.markets[0]["position"]["entry_seq"] == entry


@pytest.mark.parametrize("filled", [False, True])
def test_the_end_of_an_entry_told_twice_counts_once(filled: bool) -> None:
    desk = Desk.fresh()
    desk.hold(1)
    entry = desk.ask(0)
    desk.tell(0, entry, Purpose.ENTRY, LOTS if filled else 0, ENTRY_TICKS)
    before = desk.bytes()

    assert desk.tell(0, entry, Purpose.ENTRY, 0) == []

    assert desk.bytes() == before
    assert desk.account["open_positions"][0] == (2 if filled else 1)


def test_an_exit_told_in_parts_ends_the_position_once() -> None:
    desk = Desk.fresh()
    desk.hold(0)
    desk.hold(1)
    exit_ = desk.leave(0)

    desk.tell(0, exit_, Purpose.EXIT, 400, ENTRY_TICKS, final=0)
    desk.tell(0, exit_, Purpose.EXIT, 600, ENTRY_TICKS, final=0)
    desk.tell(0, exit_, Purpose.EXIT, 0)

    assert (desk.account["open_positions"][0], desk.account["exits"][0]) == (1, 1)
    assert desk.markets[0]["position"]["entry_price"] == 0.0


def test_every_part_of_an_entry_is_protected_at_once() -> None:
    desk = Desk.fresh()
    entry = desk.ask(0)
    (stop,) = desk.tell(0, entry, Purpose.ENTRY, 400, 10_000, final=0)

    assert desk.tick(0, 100.0) == []
    assert desk.bar(0, 99.5, 100.5, 100.0) == []
    (moved,) = desk.tell(0, entry, Purpose.ENTRY, 600, 10_010)

    assert (stop["purpose"], stop["quantity_lots"]) == (Purpose.PROTECT, 400)
    assert (moved["purpose"], moved["quantity_lots"]) == (Purpose.MOVE_STOP, LOTS)
    assert (moved["replaces_seq"], moved["price_ticks"]) == (stop["seq"], stop["price_ticks"])
    assert desk.markets[0]["position"]["entry_price"] == pytest.approx(100.06)
    assert desk.account["entries"][0] == 1
    assert desk.tick(0, 100.0) == []


def test_a_position_stopped_out_while_its_entry_works_may_fill_again() -> None:
    desk = Desk.fresh()
    entry = desk.ask(0)
    (stop,) = desk.tell(0, entry, Purpose.ENTRY, 400, ENTRY_TICKS, final=0)

    desk.tell(0, int(stop["seq"]), Purpose.PROTECT, 400, STOP_TICKS)
    assert (desk.account["open_positions"][0], desk.account["exits"][0]) == (1, 1)
    (again,) = desk.tell(0, entry, Purpose.ENTRY, 600, ENTRY_TICKS)

    assert (again["purpose"], again["quantity_lots"]) == (Purpose.PROTECT, 600)
    assert (desk.account["open_positions"][0], desk.account["entries"][0]) == (1, 2)
    desk.tell(0, int(again["seq"]), Purpose.PROTECT, 600, STOP_TICKS)
    assert (desk.account["open_positions"][0], desk.account["exposure"][0]) == (0, 0.0)


def test_an_exit_asked_for_during_a_partial_entry_follows_when_the_entry_has_ended() -> None:
    desk = Desk.fresh()
    entry = desk.ask(0)
    (stop,) = desk.tell(0, entry, Purpose.ENTRY, 400, ENTRY_TICKS, final=0)
    desk.markets[0]["position"]["exit_requested"] = ExitReason.OPERATOR
    assert desk.tick(0, 100.0) == []

    assert desk.tell(0, entry, Purpose.ENTRY, 0) == []
    (exit_,) = desk.tick(0, 100.0)

    assert (exit_["quantity_lots"], exit_["reason"]) == (400, ExitReason.OPERATOR)
    assert exit_["replaces_seq"] == stop["seq"]


def test_selling_a_part_leaves_the_stop_with_the_rest() -> None:
    desk = Desk.fresh()
    stop = desk.hold(0)
    market = desk.markets[0]
    market["position"]["exit_seq"] = market["intent_seq"] = 7

    (moved,) = desk.tell(0, 7, Purpose.REDUCE, 400, 10_500)

    assert (moved["purpose"], moved["quantity_lots"]) == (Purpose.MOVE_STOP, 600)
    assert moved["replaces_seq"] == stop
    assert desk.account["realized"][0] == pytest.approx(400 * 0.0001 * 5.0)
    assert desk.account["exits"][0] == 0


def test_a_stop_the_venue_refused_is_watched_at_every_tick() -> None:
    desk = Desk.fresh()
    desk.tell(0, desk.hold(0), Purpose.PROTECT, 0)

    assert desk.tick(0, 99.01, minute=0) == []
    (exit_,) = desk.tick(0, 99.0, minute=0)

    assert (exit_["quantity_lots"], exit_["reason"]) == (LOTS, ExitReason.STOP)


def test_a_stop_watched_in_software_rises_like_one_that_rests() -> None:
    resting, watched = Desk.fresh(), Desk.fresh()
    resting.hold(0)
    watched.tell(0, watched.hold(0), Purpose.PROTECT, 0)

    (move,) = resting.bar(0, 100.0, 104.0, 103.9)
    assert watched.bar(0, 100.0, 104.0, 103.9) == []

    level = int(resting.markets[0]["position"]["stop_ticks"])
    assert move["price_ticks"] == level > ENTRY_TICKS
    assert watched.markets[0]["position"]["stop_ticks"] == level
    (exit_,) = watched.tick(0, level * 0.01, minute=0)
    assert exit_["reason"] == ExitReason.TRAILING_STOP


def test_an_exit_the_venue_refused_is_asked_for_again() -> None:
    desk = Desk.fresh()
    desk.hold(0)

    desk.tell(0, desk.leave(0), Purpose.EXIT, 0)
    (again,) = desk.tick(0, 100.0)

    assert (again["quantity_lots"], again["reason"]) == (LOTS, ExitReason.OPERATOR)


def test_a_stop_that_was_lost_is_asked_for_again_after_a_while_and_watched_meanwhile() -> None:
    desk = Desk.fresh()
    stop = desk.hold(0)
    desk.tell(0, stop, Purpose.PROTECT, 0)  # refused or cancelled: nothing rests any more

    assert desk.tick(0, 99.5, minute=0) == []
    (again,) = desk.tick(0, 99.5, minute=1)

    assert (again["purpose"], again["quantity_lots"]) == (Purpose.PROTECT, LOTS)
    assert (again["price_ticks"], again["side"]) == (STOP_TICKS, -1)
    assert desk.tick(0, 99.5, minute=2) == []  # it is on its way
    desk.tell(0, int(again["seq"]), Purpose.PROTECT, 0)
    (exit_,) = desk.tick(0, 98.9, minute=2)
    assert (exit_["purpose"], exit_["reason"]) == (Purpose.EXIT, ExitReason.STOP)


def test_a_stop_that_was_lost_while_its_entry_works_is_asked_for_again_all_the_same() -> None:
    desk = Desk.fresh()
    entry = desk.ask(0)
    (stop,) = desk.tell(0, entry, Purpose.ENTRY, LOTS, ENTRY_TICKS, final=0)
    (moved,) = desk.tell(0, entry, Purpose.ENTRY, LOTS, ENTRY_TICKS, final=0)
    assert (moved["purpose"], moved["replaces_seq"]) == (Purpose.MOVE_STOP, stop["seq"])

    desk.tell(0, moved["seq"], Purpose.MOVE_STOP, 0)
    (again,) = desk.tick(0, 100.0)

    assert desk.markets[0]["position"]["entry_seq"] == entry
    assert (again["purpose"], again["quantity_lots"]) == (Purpose.PROTECT, 2 * LOTS)


def test_a_price_beyond_the_stop_that_was_lost_ends_what_has_filled_so_far() -> None:
    desk = Desk.fresh()
    entry = desk.ask(0)
    (stop,) = desk.tell(0, entry, Purpose.ENTRY, LOTS, ENTRY_TICKS, final=0)
    desk.tell(0, stop["seq"], Purpose.PROTECT, 0)

    (out,) = desk.tick(0, 98.0)
    desk.tell(0, out["seq"], Purpose.EXIT, LOTS, STOP_TICKS)
    (protected,) = desk.tell(0, entry, Purpose.ENTRY, LOTS, ENTRY_TICKS)

    assert (out["purpose"], out["quantity_lots"]) == (Purpose.EXIT, LOTS)
    assert (protected["purpose"], protected["quantity_lots"]) == (Purpose.PROTECT, LOTS)
    assert desk.account["open_positions"][0] == 1


def test_an_exit_that_ends_unfilled_leaves_the_position_protected_again() -> None:
    desk = Desk.fresh()
    desk.hold(0)
    exit_ = desk.leave(0)
    desk.markets[0]["position"]["exit_requested"] = 0

    desk.tell(0, exit_, Purpose.EXIT, 0)
    (stop,) = desk.tick(0, 100.0)

    assert (stop["purpose"], stop["price_ticks"]) == (Purpose.PROTECT, STOP_TICKS)


def test_a_part_that_was_not_sold_is_covered_by_the_stop_again() -> None:
    desk = Desk.fresh()
    desk.hold(0)
    desk.markets[0]["intent_seq"] += 1
    part = int(desk.markets[0]["intent_seq"])
    desk.markets[0]["position"]["exit_seq"] = part

    (moved,) = desk.tell(0, part, Purpose.REDUCE, 0)

    assert (moved["purpose"], moved["quantity_lots"]) == (Purpose.MOVE_STOP, LOTS)


def asked_in(desk: Desk, seconds: int, price: float) -> Counter[int]:
    """Orders of each purpose that are asked for while each is refused, at a price a second."""
    asked: Counter[int] = Counter()
    state = (desk.markets, 0, desk.account, desk.params)
    for second in range(1, seconds + 1):
        desk.now_ns = START_NS + second * SECOND_NS
        for order in desk.intents[: pipeline.on_tick(*state, desk.now_ns, price, desk.intents)]:
            asked[int(order["purpose"])] += 1
            desk.tell(0, int(order["seq"]), Purpose(int(order["purpose"])), 0)
    return asked


@pytest.mark.parametrize("lots", [LOTS, 9], ids=["could be sold", "dust"])
@pytest.mark.parametrize("price", [98.0, 100.0], ids=["beyond its stop", "before its stop"])
@pytest.mark.parametrize("is_requested", [False, True])
def test_what_is_refused_every_time_is_asked_for_later_and_later(
    lots: int, price: float, is_requested: bool
) -> None:
    desk = Desk.fresh()
    (stop,) = desk.tell(0, desk.ask(0), Purpose.ENTRY, lots, ENTRY_TICKS)
    desk.tell(0, int(stop["seq"]), Purpose.PROTECT, 0)
    desk.markets[0]["position"]["exit_requested"] = ExitReason.OPERATOR if is_requested else 0

    asked = asked_in(desk, 6 * 3600, price)

    a_minute, of_dust = (6 * 60 - 10, 6 * 60 + 10), (6, 24)
    least, most = a_minute if lots == LOTS else of_dust
    wants_out = is_requested or price < 99.0
    assert (least <= asked[Purpose.EXIT] <= most) == wants_out
    assert (least <= asked[Purpose.PROTECT] <= most) == (price > 99.0)


def test_an_exit_that_must_wait_leaves_the_position_its_stop() -> None:
    desk = Desk.fresh()
    desk.hold(0)
    for _ in range(2):
        desk.tell(0, desk.leave(0), Purpose.EXIT, 0)

    (stop,) = desk.tick(0, 100.0, minute=0)

    assert (stop["purpose"], stop["price_ticks"]) == (Purpose.PROTECT, STOP_TICKS)


def test_what_sold_a_part_is_asked_for_again_at_once() -> None:
    desk = Desk.fresh()
    desk.tell(0, desk.hold(0), Purpose.PROTECT, 0)
    asked_in(desk, 600, 98.0)
    assert desk.tick(0, 98.0, minute=10) == []  # it waits
    position = desk.markets[0]["position"]
    position["exit_seq"] = desk.markets[0]["intent_seq"] = 999

    desk.tell(0, 999, Purpose.EXIT, 400, STOP_TICKS)
    (rest,) = desk.tick(0, 98.0, minute=10)

    assert (rest["purpose"], rest["quantity_lots"]) == (Purpose.EXIT, 600)
