"""Orders of an account that are not ours: each is read by itself, for one that is odd must blind nobody."""

from collections.abc import Callable
from decimal import Decimal

import structlog

from trading.engine.sights import Stranger
from trading.exchanges.failures import UNREADABLE

log = structlog.get_logger(__name__)

SIDES = ("BUY", "SELL")
MOST = Decimal(10) ** 20  # of a base that anybody can order
LONGEST_ID, LONGEST_SYMBOL = 64, 32
Told = tuple[str, str, Decimal]  # symbol, side, quantity that may still fill


def read_stranger(venue_id: str, read: Callable[[], Told]) -> Stranger:
    """What ``read`` tells of it; where that is nothing that an order can have, it is not known."""
    symbol, side, quantity = "", "", Decimal(0)
    try:
        symbol, side, quantity = read()
    except UNREADABLE as error:
        log.warning("stranger_not_read", order=venue_id, why=repr(error))
    return Stranger(
        venue_order_id=venue_id[:LONGEST_ID],
        symbol=symbol[:LONGEST_SYMBOL],
        side=side if side in SIDES else "",
        quantity=quantity if quantity.is_finite() and 0 <= quantity < MOST else Decimal(0),
    )
