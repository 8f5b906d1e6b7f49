"""What the simulated Coinbase checks before it takes an order, and the words with which it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

from trading.exchanges.simulator.accounts import (
    BRACKET,
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    STOP_LIMIT,
    Account,
)
from trading.exchanges.simulator.coinbase_asked import OrderRefusal, bad_argument, number, word
from trading.exchanges.simulator.coinbase_words import MOST_BASE, MOST_QUOTE, read_stamp
from trading.exchanges.simulator.market import PairMarket
from trading.exchanges.simulator.rules import Wish

STYLES = {  # the one key of order_configuration: (kind, time in force, whether it has an end)
    "market_market_ioc": (MARKET, IOC, False),
    "sor_limit_ioc": (LIMIT, IOC, False),
    "limit_limit_gtc": (LIMIT, GTC, False),
    "limit_limit_gtd": (LIMIT, GTC, True),
    "limit_limit_fok": (LIMIT, FOK, False),
    "stop_limit_stop_limit_gtc": (STOP_LIMIT, GTC, False),
    "stop_limit_stop_limit_gtd": (STOP_LIMIT, GTC, True),
    "trigger_bracket_gtc": (BRACKET, GTC, False),
    "trigger_bracket_gtd": (BRACKET, GTC, True),
}
DIRECTIONS = {"STOP_DIRECTION_STOP_UP": True, "STOP_DIRECTION_STOP_DOWN": False}


@dataclass(frozen=True, slots=True)
class Request:
    """An order as it was asked for, and what it makes at the exchange."""

    wish: Wish
    configuration: dict[str, dict[str, Any]]
    quote_size: Decimal | None


def refuse(word_: str, message: str) -> OrderRefusal:
    """A refusal both enumerations have a word for."""
    return OrderRefusal(f"PREVIEW_{word_}", message, reason=word_)


def read(account: Account, market: PairMarket, symbol: str, told: Mapping[str, Any]) -> Request:
    """An order from its body.

    Raises:
        HttpRefusal: it cannot be understood. OrderRefusal: it is none the venue takes.
    """
    configuration = told.get("order_configuration")
    if not isinstance(configuration, dict) or len(configuration) != 1:
        raise bad_argument("order_configuration: accepted is exactly one configuration")
    (style, settings), *_ = configuration.items()
    if not isinstance(settings, dict):
        raise bad_argument(f"order_configuration.{style}: accepted is an object")
    if style not in STYLES:
        raise OrderRefusal("PREVIEW_INVALID_ORDER_CONFIG", f"unsupported order configuration {style}",
                           reason="UNSUPPORTED_ORDER_CONFIGURATION")  # fmt: skip
    side = word(told, "side")
    if side not in ("BUY", "SELL"):
        raise refuse("INVALID_SIDE", f"invalid side {side!r}")
    kind, ending, has_end = STYLES[style]
    price = number(settings, "limit_price") if kind != MARKET else None
    if kind != MARKET and price is None:
        raise refuse("INVALID_LIMIT_PRICE", "limit_price is missing")
    base, quote = _sizes(kind, side, settings)
    wish = Wish(
        symbol=symbol,
        side=side.lower(),
        kind=kind,
        quantity=base or Decimal(0),
        price=price,
        client_id=word(told, "client_order_id"),
        post_only=settings.get("post_only") is True,
        expires_ns=_end(settings) if has_end else 0,
        time_in_force=ending,
        book="" if symbol == market.symbol else market.symbol,
        **_stop(kind, side, settings),
    )
    if quote is not None:
        _check_quote_size(market, quote)
        wish = replace(wish, quantity=_bought(account, market, wish, quote))
    return Request(wish, repeat(configuration), quote)


def repeat(configuration: Any) -> dict[str, dict[str, Any]]:
    """Of a configuration that was asked for, what the venue tells again: texts and truths."""
    if not isinstance(configuration, dict):
        return {}
    return {
        style: {name: value for name, value in told.items() if isinstance(value, str | bool)}
        for style, told in configuration.items()
        if isinstance(told, dict)
    }


def _sizes(
    kind: str, side: str, settings: Mapping[str, Any]
) -> tuple[Decimal | None, Decimal | None]:
    """(base, quote) size: exactly one of them."""
    base, quote = number(settings, "base_size"), number(settings, "quote_size")
    if (base is None) == (quote is None):
        raise OrderRefusal("PREVIEW_INVALID_ORDER_CONFIG", "one of base_size and quote_size")
    in_quote = kind == LIMIT or (kind == MARKET and side == "BUY")
    if quote is not None and not in_quote:
        raise OrderRefusal("PREVIEW_INVALID_ORDER_CONFIG", "quote_size is for purchases only",
                           reason="UNSUPPORTED_ORDER_CONFIGURATION")  # fmt: skip
    return base, quote


def _end(settings: Mapping[str, Any]) -> int:
    end = read_stamp(word(settings, "end_time"))
    if end is None:
        raise OrderRefusal("PREVIEW_INVALID_END_TIME", "end_time is not a time")
    return end


def _stop(kind: str, side: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    if kind == BRACKET:
        stop = number(settings, "stop_trigger_price")
        if side != "SELL":
            raise refuse("INVALID_SIDE", "a bracket sells")
        is_up = False
    elif kind == STOP_LIMIT:
        stop = number(settings, "stop_price")
        direction = word(settings, "stop_direction")
        if direction not in DIRECTIONS:
            raise OrderRefusal("PREVIEW_INVALID_ORDER_CONFIG", f"stop_direction {direction!r}")
        is_up = DIRECTIONS[direction]
    else:
        return {}
    if stop is None:
        raise OrderRefusal("PREVIEW_INVALID_STOP_PRICE", "the stop price is missing")
    return {"stop": stop, "is_stop_up": is_up}


def _bought(account: Account, market: PairMarket, wish: Wish, quote: Decimal) -> Decimal:
    """The base a quote size makes: at its limit, or from the book with the fees inside it."""
    lot = market.grid.lot_size
    if wish.price is not None:
        check_price(market, wish.price)
        return (quote / wish.price).quantize(lot, ROUND_DOWN)
    left, bought = quote / (1 + account.tariff.taker), Decimal(0)
    for price, size in market.book()[1]:
        taken = min(size, (left / price).quantize(lot, ROUND_DOWN))
        bought, left = bought + taken, left - taken * price
        if taken < size:
            break
    return bought


def check(account: Account, market: PairMarket, request: Request, *, now_ns: int) -> None:
    """Everything an order must fit.

    Raises:
        OrderRefusal: the first thing that it does not.
    """
    wish = request.wish
    check_size(market, wish.quantity)
    if wish.expires_ns and wish.expires_ns <= now_ns:
        raise OrderRefusal("PREVIEW_END_TIME_IS_IN_THE_PAST", "end_time is in the past")
    if wish.price is not None:
        check_price(market, wish.price)
        if request.quote_size is None and wish.quantity * wish.price < market.grid.min_notional:
            raise OrderRefusal("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", "order is too small")
    if wish.post_only and wish.price is not None and would_take(market, wish.side, wish.price):
        raise refuse("INVALID_LIMIT_PRICE_POST_ONLY", "a post-only order would take")
    if wish.stop is not None:
        _check_stop(market, wish, wish.stop)
    check_funds(account, market, wish, quote_size=request.quote_size)


def check_size(market: PairMarket, quantity: Decimal) -> None:
    """Whether a base size is one the product has.

    Raises:
        OrderRefusal: it is not.
    """
    if quantity < market.grid.min_quantity:
        raise OrderRefusal("PREVIEW_INVALID_BASE_SIZE_TOO_SMALL", "base size is too small")
    if quantity > MOST_BASE:
        raise OrderRefusal("PREVIEW_INVALID_BASE_SIZE_TOO_LARGE", "base size is too large")
    if quantity % market.grid.lot_size:
        raise refuse("INVALID_SIZE_PRECISION", "Too many decimals in order size")


def check_price(market: PairMarket, price: Decimal) -> None:
    """Whether a price is one the product has.

    Raises:
        OrderRefusal: it is not.
    """
    if price <= 0:
        raise refuse("INVALID_LIMIT_PRICE", "limit price is not above 0")
    if price % market.grid.tick_size:
        raise refuse("INVALID_PRICE_PRECISION", "Too many decimals in order price")


def _check_quote_size(market: PairMarket, quote: Decimal) -> None:
    if quote < market.grid.min_notional:
        raise OrderRefusal("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", "quote size is too small")
    if quote > MOST_QUOTE:
        raise OrderRefusal("PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE", "quote size is too large")
    if quote % market.grid.tick_size:
        raise OrderRefusal("PREVIEW_INVALID_QUOTE_SIZE_PRECISION", "Too many decimals")


def would_take(market: PairMarket, side: str, price: Decimal) -> bool:
    """Whether a limit meets the other side of the book."""
    bids, asks = market.book(1)
    return price >= asks[0][0] if side == "buy" else price <= bids[0][0]


def _check_stop(market: PairMarket, wish: Wish, stop: Decimal) -> None:
    last, limit = market.last_price(), wish.price or stop
    if stop <= 0:
        raise OrderRefusal("PREVIEW_INVALID_STOP_PRICE", "stop price is not above 0")
    if stop % market.grid.tick_size:
        raise OrderRefusal("PREVIEW_INVALID_STOP_PRICE_PRECISION", "Too many decimals")
    if wish.is_stop_up and stop <= last:
        raise OrderRefusal("PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE", "stop is below the market")
    if not wish.is_stop_up and stop >= last:
        raise OrderRefusal("PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE", "stop is above the market")
    if wish.kind == BRACKET:
        if limit <= last:
            raise refuse("INVALID_LIMIT_PRICE", "the take-profit is not above the market")
    elif wish.side == "buy" and wish.is_stop_up and stop > limit:
        raise OrderRefusal("PREVIEW_STOP_PRICE_ABOVE_LIMIT_PRICE", "stop is above the limit")
    elif wish.side == "sell" and not wish.is_stop_up and stop < limit:
        raise OrderRefusal("PREVIEW_STOP_PRICE_BELOW_LIMIT_PRICE", "stop is below the limit")


def check_funds(
    account: Account,
    market: PairMarket,
    wish: Wish,
    *,
    quote_size: Decimal | None = None,
    released: Decimal = Decimal(0),
) -> None:
    """Whether what is free, and what an edited order gives back, suffices.

    Raises:
        OrderRefusal: it does not.
    """
    base, quote = wish.symbol.split("/")
    asset = base if wish.side == "sell" else quote
    worth = _worth(market, wish.quantity) if wish.price is None else wish.quantity * wish.price
    cost = worth * (1 + account.tariff.taker)
    if wish.kind == MARKET and quote_size is not None:
        cost = quote_size
    free = account.balances.get(asset, Decimal(0)) - account.held(asset) + released
    if (wish.quantity if wish.side == "sell" else cost) > free:
        raise refuse("INSUFFICIENT_FUND", "Insufficient balance in source account")


def _worth(market: PairMarket, quantity: Decimal) -> Decimal:
    """What so much costs in the book."""
    left, cost = quantity, Decimal(0)
    for price, size in market.book()[1]:
        cost, left = cost + min(left, size) * price, left - min(left, size)
    return cost
