"""What the venue checks before it takes an order: modes, grid, minimums, funds, costs of a request."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading.exchanges.simulator.accounts import GTC, Account, Order
from trading.exchanges.simulator.market import PairMarket

MOST_OPEN = 60
CANCEL_COST = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
AMEND_COST = ((5, 3), (10, 2), (15, 1))
EDIT_COST = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
ALLOWED = {
    "online": {"add", "amend", "cancel"},
    "post_only": {"add", "amend", "cancel"},
    "cancel_only": {"cancel"},
    "limit_only": {"add", "amend", "cancel"},
    "reduce_only": {"add", "amend", "cancel"},
    "maintenance": set[str](),
    "work_in_progress": set[str](),
    "delisted": set[str](),
}


class Rejected(Exception):
    """The venue says no, in its own words."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer asks for."""

    symbol: str
    side: str
    kind: str
    quantity: Decimal
    price: Decimal | None = None
    client_id: str = ""
    post_only: bool = False
    expires_ns: int = 0
    deadline_ns: int = 0
    validate: bool = False
    time_in_force: str = GTC
    stop: Decimal | None = None
    is_stop_up: bool = False
    book: str = ""
    userref: int = 0
    trail: str = ""


def permit(mode: str, act: str) -> None:
    """Whether the venue does this at all just now.

    Raises:
        Rejected: its mode forbids it.
    """
    if act in ALLOWED[mode]:
        return
    if mode == "maintenance":
        raise Rejected("EService:Unavailable")
    raise Rejected(f"EService:Market in {mode} mode")


def check(
    account: Account,
    market: PairMarket,
    wish: Wish,
    *,
    mode: str,
    now_ns: int,
    replaced: Order | None = None,
) -> None:
    """Everything an order must fit, which may take another's place.

    Raises:
        Rejected: the first thing that it does not.
    """
    if wish.deadline_ns and now_ns > wish.deadline_ns:
        raise Rejected("EService:Deadline elapsed")
    working = [order for order in account.working() if order is not replaced]
    if wish.client_id and any(order.client_id == wish.client_id for order in working):
        raise Rejected("EGeneral:Invalid arguments:cl_ord_id")
    if sum(order.symbol == wish.symbol for order in working) >= MOST_OPEN:
        raise Rejected("EOrder:Orders limit exceeded")
    for written in (wish.price, wish.stop):
        check_grid(market, wish.quantity, written)
    price = wish.price or market.last_price()
    if wish.quantity < market.grid.min_quantity:
        raise Rejected("EOrder:Order minimum not met")
    if wish.quantity * price < market.grid.min_notional:
        raise Rejected("EOrder:Cost minimum not met")
    is_closed = {
        "post_only": not wish.post_only,
        "limit_only": wish.price is None,
        "reduce_only": wish.side == "buy",
    }
    if is_closed.get(mode):
        raise Rejected(f"EService:Market in {mode} mode")
    if wish.post_only and wish.price is not None:
        check_post_only(market, wish.side, wish.price)
    check_funds(account, market, wish, replaced=replaced)


def check_post_only(market: PairMarket, side: str, price: Decimal) -> None:
    """Whether a limit would rest.

    Raises:
        Rejected: it would take.
    """
    bids, asks = market.book(1)
    if price >= asks[0][0] if side == "buy" else price <= bids[0][0]:
        raise Rejected("EOrder:Post only order")


def check_amended(account: Account, market: PairMarket, order: Order, wanted: Order) -> None:
    """Whether a working order may become this.

    Raises:
        Rejected: it may not.
    """
    for written in (wanted.price, wanted.stop):
        check_grid(market, wanted.quantity, written)
    if order.post_only and wanted.price is not None and wanted.price != order.price:
        check_post_only(market, order.side, wanted.price)
    (asset, before), (_, after) = order.hold(account.tariff), wanted.hold(account.tariff)
    if after > before and after > account.free(asset, without=order):
        raise Rejected("EOrder:Insufficient funds")


def check_funds(
    account: Account, market: PairMarket, wish: Wish, *, replaced: Order | None = None
) -> None:
    """Whether what is free suffices.

    Raises:
        Rejected: it does not.
    """
    base, quote = wish.symbol.split("/")
    price = wish.price or market.last_price()
    asset = base if wish.side == "sell" else quote
    cost = wish.quantity * price * (1 + account.tariff.taker)
    needed = wish.quantity if wish.side == "sell" else cost
    if needed > account.free(asset, without=replaced):
        raise Rejected("EOrder:Insufficient funds")


def penalty(steps: Iterable[tuple[int, int]], age: float) -> float:
    """What acting on an order of this age costs beside the fixed part."""
    return next((float(cost) for seconds, cost in steps if age < seconds), 0.0)


def check_grid(market: PairMarket, quantity: Decimal, price: Decimal | None) -> None:
    """Whether quantity and price are written on the pair's grid.

    Raises:
        Rejected: they are not.
    """
    grid = market.grid
    if quantity <= 0 or quantity % grid.lot_size or _decimals(quantity) > grid.lot_decimals:
        raise Rejected("EGeneral:Invalid arguments:volume")
    if price is None:
        return
    if price <= 0 or _decimals(price) > grid.price_decimals:
        raise Rejected("EOrder:Invalid price:Invalid price argument")
    if price % grid.tick_size:
        raise Rejected("EOrder:Tick size check failed")


def _decimals(value: Decimal) -> int:
    """Digits after the point as they were written."""
    return max(-int(value.as_tuple().exponent), 0)
