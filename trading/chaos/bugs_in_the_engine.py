"""Believable bugs of the engine, its journal and its leadership."""

from collections.abc import Callable
from typing import Any

import msgspec

from trading.core.codes import Purpose
from trading.engine import state as core_state
from trading.engine.batches import Evidence, IntentState, Known
from trading.engine.execution import Execution
from trading.engine.guards import Guards
from trading.engine.handler import Handler
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.inquiry import Inquiry
from trading.ledger import writer
from trading.ledger.lease import PostgresLease
from trading.ledger.writer import DjangoLedger

Put = Callable[[Any, str, Any], None]


def never_protect(put: Put) -> None:
    """The first stop is forgotten on its way."""
    allows = Guards.allows

    def without(self: Guards, order: Any) -> bool:
        return order.purpose != Purpose.PROTECT and allows(self, order)

    put(Guards, "allows", without)


def book_one_fill_an_order(put: Put) -> None:
    """Fills are told apart by their order, not by their trade."""
    fill = KnownOrders.fill

    def once(self: KnownOrders, known: Any, execution: Any) -> Any:
        return None if known.filled_lots else fill(self, known, execution)

    put(KnownOrders, "fill", once)


def send_before_commit(put: Put) -> None:
    """The order leaves before its intent is written."""

    async def eager(self: Handler, asked: Any, *, must_commit: bool = False) -> None:
        planned = [order for order in asked if self.guards.allows(order)]
        changes: list[tuple[Any, Any]] = []
        for order in planned:
            self.execution.planned(order)
            self.batch.intents.append(order)
            changes.append((order, await self.execution.send(order, now_ns=self.now_ns())))
        if planned or must_commit or self._is_due():
            await self.commit()
        for order, change in changes:
            await self.settle(order, change)

    put(Handler, "act", eager)


def send_what_was_planned(put: Put) -> None:
    """A new leader sends again what the one before may have sent."""
    settle = Execution.settle

    async def resend(
        self: Execution, order: Any, evidence: Any, *, market_ns: int
    ) -> list[IntentState]:
        if self._states[order.market, order.seq].value == "PLANNED":
            return await self.send(order, now_ns=market_ns)
        return await settle(self, order, evidence, market_ns=market_ns)

    put(Execution, "settle", resend)
    put(Inquiry, "lookup", _over)


async def _over(self: Inquiry, order: Any) -> Evidence:
    return Evidence(Known.UNDECIDED)


async def _keep_on(self: PostgresLease) -> None:
    await self._released.wait()


def act_after_leadership(put: Put) -> None:
    """A leader that hung goes on as if nothing had been, and the venue is given no deadline."""
    params = orders.add_params

    def without(order: Any, spec: Any, **given: Any) -> dict[str, Any]:
        return {k: v for k, v in params(order, spec, **given).items() if k != "deadline"}

    put(orders, "add_params", without)
    put(KrakenDesk, "_deadline", lambda self, order: 0)
    put(PostgresLease, "is_held", lambda self: True)
    put(PostgresLease, "keep", _keep_on)
    put(DjangoLedger, "_assert_epoch", lambda self, fence: None)


def pause_in_memory(put: Put) -> None:
    """A hold is not written; a restart forgets it."""
    put(writer, "change_hold", lambda **given: None)


def sell_the_customers_coins(put: Put) -> None:
    """An exit sells what lies there, whoever bought it."""
    order_of = core_state.CoreState._order

    def all_of_it(self: Any, market: int, intent: Any) -> Any:
        order = order_of(self, market, intent)
        more = 1000 if order.purpose == Purpose.EXIT else 0
        return msgspec.structs.replace(order, quantity_lots=order.quantity_lots + more)

    put(core_state.CoreState, "_order", all_of_it)
