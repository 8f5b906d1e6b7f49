"""Believable bugs of whoever speaks with Coinbase."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from trading.core.codes import Purpose, Side
from trading.engine.errors import OutcomeUnknown, Refused
from trading.exchanges.coinbase import desk as desk_module
from trading.exchanges.coinbase import orders
from trading.exchanges.coinbase.cancels import Cancels
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.errors import NoAnswer, outcome_of
from trading.exchanges.coinbase.inquiry import Inquiry
from trading.exchanges.coinbase.live import CoinbaseVenue
from trading.exchanges.coinbase.sockets import FrameCount

Put = Callable[[Any, str, Any], None]


def take_silence_for_a_no(put: Put) -> None:
    """A 5xx and an answer that never came are refusals."""

    def outcome(error: Exception) -> Exception:
        return Refused(str(error)) if isinstance(error, NoAnswer) else outcome_of(error)

    put(desk_module, "outcome_of", outcome)


def ask_again_under_another_id(put: Put) -> None:
    """What had no answer is placed again, as something else."""
    place = CoinbaseDesk._place

    async def again(self: CoinbaseDesk, order: Any) -> str:
        try:
            return await place(self, order)
        except OutcomeUnknown:
            other = msgspec.structs.replace(order, client_order_id=str(uuid.uuid4()))
            return await place(self, other)

    put(CoinbaseDesk, "_place", again)


def search_open_orders_only(put: Put) -> None:
    """An order that has filled is taken for one that never came."""
    search = Inquiry._search

    async def open_only(self: Inquiry, order: Any) -> Any:
        facts = await search(self, order)
        return facts if facts and not orders.read_order(facts).is_over else None

    put(Inquiry, "_search", open_only)
    put(CoinbaseVenue, "_hear", lambda self, told: None)  # no luck by the stream


def take_the_unknown_for_over(put: Put) -> None:
    """A status that nobody knows ends an order."""
    put(orders.Standing, "is_over", property(lambda self: self.status not in orders.WORKING))


def believe_cancellations(put: Put) -> None:
    """Accepted is done: nobody looks whether the stop has sold meanwhile."""

    async def at_once(self: Cancels, known: Any) -> bool:
        await self._ask(known.venue_id)
        return False

    put(Cancels, "end", at_once)


def place_the_new_stop_first(put: Put) -> None:
    """A stop is moved by placing another beside it, then cancelling the old one."""

    async def beside(self: CoinbaseDesk, stop: Any, order: Any) -> str:
        name = await self._place(order)
        await self._take_away(stop, order)
        return name

    put(CoinbaseDesk, "_move", beside)


def _keep_the_stop(put: Put, purpose: Purpose) -> None:
    take_away = CoinbaseDesk._take_away

    async def unless(self: CoinbaseDesk, stop: Any, order: Any) -> None:
        if order.purpose != purpose:
            await take_away(self, stop, order)

    put(CoinbaseDesk, "_take_away", unless)


def exit_beside_the_stop(put: Put) -> None:
    """An exit leaves the stop where it is: the account has coins enough, but they are not ours."""
    _keep_the_stop(put, Purpose.EXIT)


def sell_a_part_of_what_is_offered(put: Put) -> None:
    """A part is sold while the stop goes on offering the whole."""
    _keep_the_stop(put, Purpose.REDUCE)


def go_on_after_it_sold(put: Put) -> None:
    """The stop filled while it was taken away, and what should have followed it is placed all the same."""
    put(CoinbaseDesk, "_hold_back", lambda self, order, stop, why: None)
    put(CoinbaseDesk, "_what_is_left", lambda self, order: order)


def overlook_gaps(put: Put) -> None:
    """Neither the count of frames nor the look by REST find what the stream did not tell."""

    async def nothing(self: CoinbaseVenue) -> None:
        return None

    put(FrameCount, "is_next", lambda self, frame: True)
    put(CoinbaseVenue, "_audit", nothing)


def book_what_was_filled_so_far(put: Put) -> None:
    """The running total of an order is booked as if it were news."""
    executions = Inquiry._executions

    async def summed(self: Inquiry, known: Any, facts: Mapping[str, Any]) -> list[Any]:
        found = await executions(self, known, facts)
        totals = [sum(one.lots for one in found[: n + 1]) for n in range(len(found))]
        return [replace(one, lots=total) for one, total in zip(found, totals, strict=True)]

    put(Inquiry, "_executions", summed)


def _other_executions(put: Put, change: Callable[[Any], Any]) -> None:
    execution = orders.execution

    def changed(told: Mapping[str, Any], spec: Any) -> Any:
        made = execution(told, spec)
        return made and change(made)

    put(orders, "execution", changed)


def count_fees_twice(put: Put) -> None:
    """The commission is added to what the venue took already."""
    _other_executions(
        put,
        lambda made: replace(made, fee=str(Decimal(made.fee) * 2), fee_units=made.fee_units * 2),
    )


def name_fills_by_their_order(put: Put) -> None:
    """Every fill of an order has one name: the second is taken for the first."""
    executions = Inquiry._executions

    async def renamed(self: Inquiry, known: Any, facts: Mapping[str, Any]) -> list[Any]:
        found = await executions(self, known, facts)
        return [replace(one, trade_id=known.venue_id) for one in found]

    put(Inquiry, "_executions", renamed)


def round_fees_to_cents(put: Put) -> None:
    """Fees are money, and money has two digits."""
    _other_executions(
        put, lambda made: replace(made, fee=str(Decimal(made.fee).quantize(Decimal("0.01"))))
    )


def leave_triggered_stops_alone(put: Put) -> None:
    """A stop's limit is its trigger, and nobody looks whether it fills."""
    put(orders, "STOP_ROOM", Decimal(0))
    put(CoinbaseVenue, "_is_stuck", lambda self, known, news: False)


def _other_bodies(put: Put, change: Callable[[Any, dict[str, Any]], dict[str, Any]]) -> None:
    body = orders.create_body

    def changed(order: Any, spec: Any, **given: Any) -> dict[str, Any]:
        return change(order, body(order, spec, **given))

    put(orders, "create_body", changed)


def give_random_ids(put: Put) -> None:
    """The client order id is not derived from the intent: what was sent cannot be found again."""
    _other_bodies(put, lambda order, body: {**body, "client_order_id": str(uuid.uuid4())})


def sell_a_lot_more(put: Put) -> None:
    """Quantities are rounded up."""
    body = orders.create_body

    def rounded(order: Any, spec: Any, **given: Any) -> dict[str, Any]:
        lots = order.quantity_lots + int(order.side is Side.SELL)
        return body(msgspec.structs.replace(order, quantity_lots=lots), spec, **given)

    put(orders, "create_body", rounded)


def stop_by_buying(put: Put) -> None:
    """The stop would buy when the price rises."""
    configuration = orders._configuration

    def turned(order: Any, spec: Any, step: int) -> dict[str, Any]:
        if order.purpose not in orders.STOPS:
            return configuration(order, spec, step)
        return configuration(msgspec.structs.replace(order, side=Side.BUY), spec, step)

    put(orders, "_configuration", turned)
    _other_bodies(
        put,
        lambda order, body: {**body, "side": "BUY"} if order.purpose in orders.STOPS else body,
    )
