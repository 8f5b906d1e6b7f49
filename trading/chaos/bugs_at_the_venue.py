"""Believable bugs of whoever speaks with the venue."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from trading.core.codes import Side
from trading.engine.batches import Evidence, Known
from trading.engine.errors import OutcomeUnknown, Refused
from trading.exchanges.kraken import desk as desk_module
from trading.exchanges.kraken import orders, sign, stops
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.endings import Endings
from trading.exchanges.kraken.errors import NoAnswer, outcome_of
from trading.exchanges.kraken.inquiry import Inquiry
from trading.exchanges.kraken.live import KrakenVenue

Put = Callable[[Any, str, Any], None]


def timeout_means_refused(put: Put) -> None:
    """No answer is taken for a no."""

    def outcome(error: Exception) -> Exception:
        return Refused(str(error)) if isinstance(error, NoAnswer) else outcome_of(error)

    put(desk_module, "outcome_of", outcome)


def resend_under_a_new_id(put: Put) -> None:
    """What had no answer is sent again, as something else."""
    place = KrakenDesk._place

    async def again(self: KrakenDesk, road: Any, order: Any) -> str:
        try:
            return await place(self, road, order)
        except OutcomeUnknown:
            other = msgspec.structs.replace(order, client_order_id=str(uuid.uuid4()))
            return await place(self, road, other)

    put(KrakenDesk, "_place", again)


def look_at_open_orders_only(put: Put) -> None:
    """An order that has filled is taken for one that never came."""
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

    put(Inquiry, "_judge", open_only)
    put(KrakenVenue, "_hear", lambda self, told: None)  # no luck by the stream


def never_ask_again(put: Put) -> None:
    """What is unclear stays unclear."""

    async def undecided(self: Inquiry, order: Any) -> Evidence:
        return Evidence(Known.UNDECIDED)

    put(Inquiry, "lookup", undecided)
    put(KrakenVenue, "_hear", lambda self, told: None)


def place_a_second_stop(put: Put) -> None:
    """A moved stop is a new one beside the old."""

    async def beside(self: KrakenDesk, road: Any, stop: Any, order: Any) -> str:
        return await self._place(road, order)

    put(KrakenDesk, "_move", beside)


def sell_with_the_stop_resting(put: Put) -> None:
    """An exit does not take the stop away."""

    async def nothing(endings: Any, road: Any, stop: Any, order: Any) -> None:
        return None

    put(Endings, "take_away", nothing)


def sell_a_part_beside_the_stop(put: Put) -> None:
    """A part is sold while the stop goes on offering the whole."""

    async def nothing(road: Any, spec: Any, stop: Any, order: Any, *, deadline_ns: int) -> None:
        return None

    put(stops, "shrink", nothing)


def sell_a_lot_too_much(put: Put) -> None:
    """Quantities of stops are rounded up."""
    volume = orders.volume

    def rounded(order: Any, spec: Any) -> str:
        more = int(order.side is Side.SELL)
        return volume(
            msgspec.structs.replace(order, quantity_lots=order.quantity_lots + more), spec
        )

    put(orders, "volume", rounded)


def protect_the_wrong_side(put: Put) -> None:
    """The stop would buy."""
    params = orders.add_params

    def turned(order: Any, spec: Any, **given: Any) -> dict[str, Any]:
        told = params(order, spec, **given)
        return {**told, "type": "buy"} if told["ordertype"] == "stop-loss" else told

    put(orders, "add_params", turned)


def overlook_missing_messages(put: Put) -> None:
    """Neither gaps in the sequence nor the look by REST find what the stream did not tell."""

    async def nothing(self: KrakenVenue) -> None:
        return None

    put(KrakenVenue, "_count", lambda self, frame: None)
    put(KrakenVenue, "_audit", nothing)


def read_the_wrong_quantity(put: Put) -> None:
    """Another field of the message is taken for the quantity."""
    execution = orders.ws_execution
    put(
        orders,
        "ws_execution",
        lambda told, spec: execution({**told, "last_qty": "0.0001"}, spec),
    )


def reckon_fees(put: Put) -> None:
    """Fees are computed, not read."""
    execution = orders._execution

    def reckoned(spec: Any, **told: Any) -> Any:
        fee = repr(float(told["quantity"]) * float(told["price"]) * 0.0026)
        return execution(spec, **{**told, "fee": fee})

    put(orders, "_execution", reckoned)


def forget_fees(put: Put) -> None:
    """Fees are left out."""
    execution = orders._execution

    def free(spec: Any, **told: Any) -> Any:
        return replace(execution(spec, **told), fee="0", fee_units=0)

    put(orders, "_execution", free)


def book_the_wrong_price(put: Put) -> None:
    """A fill is booked a tick beside."""
    execution = orders._execution

    def beside(spec: Any, **told: Any) -> Any:
        made = execution(spec, **told)
        price = str(Decimal(made.price) + spec.tick_size)
        return replace(made, ticks=made.ticks + 1, price=price)

    put(orders, "_execution", beside)


def count_nonces_in_seconds(put: Put) -> None:
    """Nonces of a coarser clock: two within a second are one."""
    take = sign.Nonces.take
    put(sign.Nonces, "take", lambda self: take(self) // 1_000_000_000)


def name_orders_at_random(put: Put) -> None:
    """The client order id is not derived from the intent: what was sent cannot be found again."""
    params = orders.add_params

    def unnamed(order: Any, spec: Any, **given: Any) -> dict[str, Any]:
        return {**params(order, spec, **given), "cl_ord_id": str(uuid.uuid4())}

    put(orders, "add_params", unnamed)
