"""Kraken's WebSocket v2 of the simulated venue: the requests of one socket."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_acts as acts
from trading.exchanges.simulator import kraken_channels as channels
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.kraken_outlet import Outlet
from trading.exchanges.simulator.rules import Rejected


class Session(Outlet):
    """Answers what the customer at the other end asks."""

    def receive(self, text: str) -> None:
        """Answer one frame of the customer's."""
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
        if method == "ping":
            self.send({**base, "method": "pong"})
            return
        known: dict[str, Callable[[Outlet, dict[str, Any], dict[str, Any]], None]] = {
            "subscribe": channels.subscribe,
            "unsubscribe": channels.unsubscribe,
            "add_order": acts.add,
            "amend_order": acts.amend,
            "cancel_order": acts.cancel,
            "cancel_all": acts.cancel_all,
            "cancel_all_orders_after": acts.dead_man,
        }
        if method not in known:
            self.send({**base, "success": False, "error": "Unsupported event"})
            return
        try:
            known[method](self, params, base)
        except Rejected as error:
            self.send({**base, "success": False, "error": str(error)})
