"""Believable bugs, one at a time: the books must show every one of them, or the checks prove nothing."""

import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.exchanges.street import check_books
from tests.exchanges.test_live_venue import Trouble, play
from trading.engine.errors import OutcomeUnknown, Refused
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken import desk as desk_module
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.errors import NoAnswer, outcome_of
from trading.exchanges.kraken.inquiry import Inquiry
from trading.exchanges.kraken.live import KrakenVenue

LOST_REPLY = ("reply_lost", "AddOrder")
Plant = Callable[[pytest.MonkeyPatch], None]


def timeout_means_refused(patch: pytest.MonkeyPatch) -> None:
    def outcome(error: Exception) -> Exception:
        return Refused(str(error)) if isinstance(error, NoAnswer) else outcome_of(error)

    patch.setattr(desk_module, "outcome_of", outcome)


def resend_under_a_new_id(patch: pytest.MonkeyPatch) -> None:
    place = KrakenDesk._place

    async def again(self: KrakenDesk, order: Any) -> str:
        try:
            return await place(self, order)
        except OutcomeUnknown:
            other = msgspec.structs.replace(order, client_order_id=str(uuid.uuid4()))
            return await place(self, other)

    patch.setattr(KrakenDesk, "_place", again)


def look_at_open_orders_only(patch: pytest.MonkeyPatch) -> None:
    judge = Inquiry._judge

    async def open_only(self: Inquiry, order: Any) -> Any:
        read = self.rest.read

        async def without_closed(method: str, **params: Any) -> Any:
            return {"closed": {}} if method == "ClosedOrders" else await read(method, **params)

        self.rest.read = without_closed  # type: ignore[method-assign]
        try:
            return await judge(self, order)
        finally:
            self.rest.read = read  # type: ignore[method-assign]

    patch.setattr(Inquiry, "_judge", open_only)
    patch.setattr(KrakenVenue, "_hear", lambda self, told: None)  # no luck by the stream


def place_a_second_stop(patch: pytest.MonkeyPatch) -> None:
    async def beside(self: KrakenDesk, stop: Any, order: Any) -> str:
        return await self._place(order)

    patch.setattr(KrakenDesk, "_move", beside)


def sell_with_the_stop_resting(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: KrakenDesk, stop: Any) -> None:
        return None

    patch.setattr(KrakenDesk, "_take_away", nothing)


def book_what_was_booked(patch: pytest.MonkeyPatch) -> None:
    fill = KnownOrders.fill

    def forgetful(self: KnownOrders, known: Any, execution: Any) -> Any:
        self.told.discard(execution.trade_id)
        return fill(self, known, execution)

    patch.setattr(KnownOrders, "fill", forgetful)
    overlook_missing_messages(patch)  # which would have dropped the copy


def overlook_missing_messages(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(KrakenVenue, "_count", lambda self, frame: None)


def read_the_wrong_quantity(patch: pytest.MonkeyPatch) -> None:
    execution = orders.ws_execution
    patch.setattr(
        orders,
        "ws_execution",
        lambda told, spec: execution({**told, "last_qty": "0.0001"}, spec),
    )


BUGS: list[tuple[Plant, str, str]] = [
    (timeout_means_refused, *LOST_REPLY),
    (resend_under_a_new_id, *LOST_REPLY),
    (look_at_open_orders_only, *LOST_REPLY),
    (place_a_second_stop, "", ""),
    (sell_with_the_stop_resting, "", ""),
    (book_what_was_booked, "duplicate", "executions"),
    (overlook_missing_messages, "drop", "executions"),
    (read_the_wrong_quantity, "", ""),
]


@pytest.mark.parametrize(
    ("plant", "kind", "where"), BUGS, ids=[plant.__name__ for plant, _, _ in BUGS]
)
async def test_a_planted_bug_is_found(
    plant: Plant, kind: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    trouble = Trouble(kind, where, every=1, times=10) if kind else None

    with pytest.raises(AssertionError):
        check_books(*await play(trouble))
