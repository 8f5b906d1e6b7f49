"""Limits beside the signer: what no order may exceed, whatever asked for it."""

import time
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from trading.core.codes import Purpose, Side
from trading.engine.errors import Refused
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges.known_orders import STOPS

MINUTE = 60.0


@dataclass(slots=True)
class Caps:
    """Largest order, farthest price, most entries a minute; exits and stops are never counted."""

    max_notional: Decimal = Decimal(100_000)
    price_band: Decimal = Decimal("0.25")  # of the last price
    entries_per_minute: int = 20
    _entries: deque[float] = field(default_factory=deque)

    def check(self, order: OrderRequest, spec: MarketSpec, *, last: Decimal) -> None:
        """Let an order pass.

        Raises:
            Refused: the text names the limit and the value.
        """
        if order.quantity_lots <= 0:
            raise Refused(f"quantity: must be at least one lot, was {order.quantity_lots}")
        level = spec.tick_size * order.price_ticks
        if level and last and self._is_far(order, level=level, last=last):
            raise Refused(f"price: {level} is more than {self.price_band:%} from {last}")
        if order.purpose != Purpose.ENTRY:
            return
        notional = spec.lot_size * order.quantity_lots * (level or last)
        if not last or notional > self.max_notional:
            raise Refused(f"notional: {notional:.2f} where at most {self.max_notional} may be sent")
        now = time.monotonic()
        while self._entries and self._entries[0] < now - MINUTE:
            self._entries.popleft()
        if len(self._entries) >= self.entries_per_minute:
            raise Refused(f"entries: {self.entries_per_minute} were sent within a minute already")
        self._entries.append(now)

    def _is_far(self, order: OrderRequest, *, level: Decimal, last: Decimal) -> bool:
        """Beyond the band; a stop that the market has left behind protects all the same."""
        beyond = level - last if order.side is Side.SELL else last - level
        if order.purpose in STOPS and beyond < 0:
            return False
        return abs(level - last) > self.price_band * last
