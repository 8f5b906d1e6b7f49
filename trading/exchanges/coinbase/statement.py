"""What Coinbase's own books say of an account: wallets, orders and fills, all of their pages."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trading.exchanges.coinbase.errors import TOO_MANY, ApiError
from trading.exchanges.coinbase.orders import TAKEN_BACK, is_true, read_order, stamp
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.failures import read_amount, reading
from trading.exchanges.statement import Statement, StatementTorn, VenueOrder, VenueTrade
from trading.exchanges.venue_clock import read_stamp

RATE_PAUSE_SECONDS, RATE_TRIES = 15.0, 20
NS = 1_000_000_000
LATER_NS = 10 * NS  # a fill is entered into the venue's sequence after it was made
PAGE = 100
ORDERS, FILLS = "/orders/historical/batch", "/orders/historical/fills"

Facts = Mapping[str, Any]


async def read_statement(rest: CoinbaseRest, *, until_ns: int) -> Statement:
    """The venue's books up to a moment that has passed: their pages stand still.

    They begin with the account's first wallet. A fill that takes another back is told like any other.

    Raises:
        ApiError, Unreached, NoAnswer: they cannot be had. StatementTorn: pages are missing.
    """
    with reading("Coinbase's books"):
        return await _read(rest, until_ns)


async def _read(rest: CoinbaseRest, until_ns: int) -> Statement:
    wallets = await _pages(rest, "/accounts", "accounts", "uuid", {})
    since_ns = min((_time_ns(one, "created_at") for one in wallets), default=until_ns)
    span = {
        "start_sequence_timestamp": stamp(since_ns // NS * NS),
        "end_sequence_timestamp": stamp(until_ns + LATER_NS),
    }
    told = await _pages(rest, FILLS, "fills", "entry_id", span)
    fills = [one for one in told if _time_ns(one, "trade_time") <= until_ns]
    orders = await _pages(rest, ORDERS, "orders", "order_id", {})
    of_order = defaultdict[str, list[Facts]](list)
    for fill in fills:
        of_order[str(fill.get("order_id"))].append(fill)
    read = [_order(one, of_order[str(one["order_id"])], until_ns=until_ns) for one in orders]
    return Statement(
        until_ns=until_ns,
        since_ns=since_ns,
        trades={one.trade_id: one for one in map(_trade, fills)},
        orders={one.order_id: one for one in read},
        lines=None,
    )


async def _pages(
    rest: CoinbaseRest, path: str, name: str, key: str, asked: Mapping[str, str]
) -> list[Facts]:
    """Every row of a list, each once.

    Raises:
        StatementTorn: there is more, and no way to it.
    """
    found, cursor = dict[str, Facts](), ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        told = await _patiently(rest, path, {**asked, "limit": str(PAGE), **more})
        rows = _rows(told, name, key)
        is_fresh = not rows.keys() <= found.keys()
        found |= rows
        cursor = str(told.get("cursor") or "")
        is_last = told.get("has_next") is False or (not cursor and "has_next" not in told)
        if is_last:
            return list(found.values())
        if not cursor or not is_fresh:
            raise StatementTorn(
                f"{path}: it goes on after {len(found)} {name}, and nothing follows"
            )


def _rows(told: Facts, name: str, key: str) -> dict[str, Facts]:
    """A page's rows by their ids.

    Raises:
        NoAnswer: it has none that can be read.
    """
    with reading(f"Coinbase's list of {name}"):
        return {str(row[key]): row for row in told[name]}


async def _patiently(rest: CoinbaseRest, path: str, asked: Mapping[str, str]) -> Any:
    """Long histories meet the rate limit; waiting is all it takes."""
    for left in range(RATE_TRIES, -1, -1):
        try:
            return await rest.read(path, **asked)
        except ApiError as error:
            if not left or error.status != TOO_MANY:
                raise
        await asyncio.sleep(RATE_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _time_ns(told: Facts, name: str) -> int:
    with reading(f"Coinbase's {name}"):
        return read_stamp(str(told[name]))


def _trade(told: Facts) -> VenueTrade:
    with reading("a fill of Coinbase's"):
        price, size = read_amount(told["price"]), read_amount(told["size"])
        return VenueTrade(
            trade_id=str(told["entry_id"]),
            order_id=str(told["order_id"]),
            side=str(told["side"]),
            quantity=size / price if is_true(told.get("size_in_quote")) else size,
            price=price,
            fee=read_amount(told.get("commission") or "0"),
            time_ns=_time_ns(told, "trade_time"),
        )


def _order(told: Facts, fills: Sequence[Facts], *, until_ns: int) -> VenueOrder:
    """An order, once its fills up to the moment add up to what it says of them.

    Raises:
        StatementTorn: they do not, although its last fill was before. NoAnswer: it cannot be read.
    """
    standing, opened_ns = read_order(told), _time_ns(told, "created_time")
    last = told.get("last_fill_time")
    last_ns = _time_ns(told, "last_fill_time") if last else opened_ns
    if last_ns <= until_ns and _lacks_fills(told, fills):
        words = f"{standing.filled:f} filled, its fills tell {_sum(fills):f}"
        raise StatementTorn(f"order {standing.order_id}: {words}")
    return VenueOrder(
        order_id=standing.order_id,
        client_id=standing.client_id,
        filled=standing.filled,
        is_open=not standing.is_over,
        opened_ns=opened_ns,
        closed_ns=last_ns if standing.is_over else 0,
    )


def _lacks_fills(told: Facts, fills: Sequence[Facts]) -> bool:
    """Whether the list tells another quantity; nobody knows of sizes in quote and of what was undone."""
    in_quote = any(is_true(one.get("size_in_quote")) for one in (told, *fills))
    is_undone = any(one.get("trade_type") in TAKEN_BACK for one in fills)
    return not (in_quote or is_undone) and read_order(told).filled != _sum(fills)


def _sum(fills: Iterable[Facts]) -> Decimal:
    return sum((_trade(one).quantity for one in fills), Decimal(0))
