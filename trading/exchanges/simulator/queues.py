"""Whose turn it is at the simulated venue: customers' orders in line, and what stands against a new one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from heapq import merge

from trading.exchanges.simulator.accounts import KRAKEN, Account, Order
from trading.exchanges.simulator.market import PairMarket

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be taken at a price: a level of the book, or a customer's order that rests."""

    price: Decimal
    size: Decimal
    maker: tuple[Account, Order] | None = None


def in_line(
    accounts: Iterable[Account], market: PairMarket, *, is_halted: bool
) -> list[tuple[Account, Order]]:
    """The orders a trade may meet, by turns."""
    return sorted(
        (
            (account, order)
            for account in accounts
            if not (is_halted and account.venue == KRAKEN)
            for order in account.working()
            if (order.book or order.symbol) == market.symbol
        ),
        key=_turn,
    )


def _turn(one: tuple[Account, Order]) -> tuple[Decimal, int]:
    """Whose turn it is at a trade: the better price's, then that of the order that came first."""
    order = one[1]
    price = order.price or NOTHING
    return (-price if order.side == "buy" else price, order.turn)


def offers(
    line: Iterable[tuple[Account, Order]], market: PairMarket, account: Account, order: Order
) -> Iterator[Offer]:
    """What an order may take, best price first; at one price the book's own before customers'.

    Nobody meets orders of the same account.
    """
    bids, asks = market.book()
    is_buy = order.side == "buy"
    shown = [Offer(price, size) for price, size in (asks if is_buy else bids)]
    resting = [
        Offer(other.price, other.left, (owner, other))
        for owner, other in line
        if owner is not account
        and other.rests
        and other.side != order.side
        and other.price is not None
    ]
    sign = 1 if is_buy else -1
    return (
        one
        for one in merge(shown, resting, key=lambda one: sign * one.price)
        if is_reached(order, one.price)
    )


def is_reached(order: Order, price: Decimal) -> bool:
    """Whether an order's limit goes as far as a price; without one it goes everywhere."""
    if order.price is None or not order.rests:
        return True
    return price <= order.price if order.side == "buy" else price >= order.price


def affordable(account: Account, market: PairMarket, order: Order, price: Decimal) -> Decimal:
    """How much of what is left of an order its account can pay at a price; limits are held for."""
    if order.side == "sell" or order.rests:
        return order.left
    quote, lot = order.symbol.split("/")[1], market.grid.lot_size
    most = account.free(quote, without=order) / (price * (1 + account.tariff.taker))
    return min(order.left, max(most // lot * lot, NOTHING))
