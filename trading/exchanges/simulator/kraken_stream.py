"""Kraken's WebSocket v2 of the simulated venue: the requests of one socket."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_acts as acts
from trading.exchanges.simulator import kraken_channels as channels
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.faults import SOCKET_REPLIES
from trading.exchanges.simulator.kraken_outlet import Outlet
from trading.exchanges.simulator.rules import Rejected

Act = Callable[[Outlet, dict[str, Any], dict[str, Any]], None]
TALK: dict[str, Act] = {"subscribe": channels.subscribe, "unsubscribe": channels.unsubscribe}
TRADING: dict[str, Act] = {
    "add_order": acts.add,
    "batch_add": acts.add_batch,
    "amend_order": acts.amend,
    "edit_order": acts.edit,
    "cancel_order": acts.cancel,
    "batch_cancel": acts.cancel_batch,
    "cancel_all": acts.cancel_all,
    "cancel_all_orders_after": acts.dead_man,
}


class Session(Outlet):
    """Answers what the customer at the other end asks."""

    def receive(self, text: str) -> None:
        """Answer one frame of the customer's."""
        self._answer(text, SOCKET_REPLIES)

    def arrive(self, text: str) -> None:
        """One whose connection died on the way: nobody hears the answer, and nothing else happens to it."""
        self._answer(text, ())

    def _answer(self, text: str, kinds: tuple[str, ...]) -> None:
        now = words.stamp(self.exchange.clock.now_ns())
        try:
            asked = json.loads(text, parse_float=Decimal)
            method, params = str(asked["method"]), asked.get("params") or {}
        except (ValueError, KeyError, TypeError):
            self.send(
                {"error": "Malformed request", "success": False, "time_in": now, "time_out": now}
            )
            return
        base = {"method": method, "time_in": now, "time_out": now}
        if isinstance(asked.get("req_id"), int):
            base["req_id"] = asked["req_id"]
        if method == "ping":  # it stands among the trades, of which some may not be told yet
            told = words.stamp(self.exchange.told_ns())
            self.send({**base, "method": "pong", "time_out": told})
            return
        self.fault = self.exchange.faults.take(kinds, method)
        try:
            self._act(method, params, base)
        except Rejected as error:
            self.refuse(base, str(error))
        finally:
            self.fault = None
            self.exchange.settle()

    def _act(self, method: str, params: dict[str, Any], base: dict[str, Any]) -> None:
        if method in TRADING:
            key = self.account.key if self.account else ""
            self.exchange.log("request", method=method, key=key)
        known = TALK | TRADING
        if method not in known:
            raise Rejected("Unsupported event")
        if self.fault and self.fault.kind == "error":
            raise Rejected(self.fault.words or "EService:Unavailable")
        known[method](self, params, base)
