"""What Kraken's own books say of an account: trades, orders and ledger lines, all of their pages."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.exchanges.failures import read_amount, reading
from trading.exchanges.kraken import names
from trading.exchanges.kraken.errors import ApiError
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.statement import (
    Statement,
    StatementTorn,
    VenueLine,
    VenueOrder,
    VenueTrade,
)

RATE_LIMIT = "EAPI:Rate limit exceeded"
RATE_PAUSE_SECONDS, RATE_TRIES = 15.0, 20
NS = 1_000_000_000


async def read_statement(rest: KrakenRest, *, until_ns: int) -> Statement:
    """The venue's books up to a moment that has passed: their pages stand still.

    Raises:
        ApiError, Unreached, NoAnswer: they cannot be had. StatementTorn: pages are missing.
    """
    with reading("Kraken's books"):
        return await _read(rest, until_ns)


async def _read(rest: KrakenRest, until_ns: int) -> Statement:
    assets = names.asset_names(await rest.public("Assets"))
    until = {"end": str(Decimal(until_ns) / NS)}
    trades = await _pages(rest, "TradesHistory", "trades", until)
    lines = await _pages(rest, "Ledgers", "ledger", until)
    orders = await _pages(rest, "ClosedOrders", "closed", {})
    orders |= (await _patiently(rest, "OpenOrders", {}))["open"]
    told = tuple(_line(one, assets) for one in lines.values())
    return Statement(
        until_ns=until_ns,
        since_ns=min((line.time_ns for line in told), default=until_ns),
        trades={key: _trade(key, one) for key, one in trades.items()},
        orders={key: _order(key, one) for key, one in orders.items()},
        lines=told,
    )


async def _pages(
    rest: KrakenRest, method: str, name: str, asked: Mapping[str, str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while True:
        told = await _patiently(rest, method, {**asked, "ofs": str(len(found))})
        fresh = {key: one for key, one in told[name].items() if key not in found}
        found |= fresh
        if not fresh or len(found) >= int(told["count"]):
            break
    if len(found) != int(told["count"]):
        raise StatementTorn(f"{method}: {told['count']} promised, {len(found)} told")
    return found


async def _patiently(rest: KrakenRest, method: str, asked: Mapping[str, str]) -> Any:
    """Long histories meet the rate limit; waiting is all it takes."""
    for left in range(RATE_TRIES, -1, -1):
        try:
            return await rest.read(method, **asked)
        except ApiError as error:
            if not left or not error.words.startswith(RATE_LIMIT):
                raise
        await asyncio.sleep(RATE_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _ns(value: Any) -> int:
    return int(Decimal(str(value)) * NS)


def _trade(trade_id: str, told: Mapping[str, Any]) -> VenueTrade:
    return VenueTrade(
        trade_id=trade_id,
        order_id=str(told["ordertxid"]),
        side=str(told["type"]).upper(),
        quantity=read_amount(told["vol"]),
        price=read_amount(told["price"]),
        fee=read_amount(told["fee"]),
        time_ns=_ns(told["time"]),
    )


def _order(order_id: str, told: Mapping[str, Any]) -> VenueOrder:
    return VenueOrder(
        order_id=order_id,
        client_id=str(told.get("cl_ord_id") or ""),
        filled=read_amount(told["vol_exec"]),
        is_open=told["status"] in ("open", "pending"),
        opened_ns=_ns(told["opentm"]),
        closed_ns=_ns(told.get("closetm") or 0),
    )


def _line(told: Mapping[str, Any], assets: Mapping[str, str]) -> VenueLine:
    asset = str(told["asset"])
    return VenueLine(
        reference=str(told["refid"]),
        asset=assets.get(asset, asset),
        amount=read_amount(told["amount"]),
        fee=read_amount(told["fee"]),
        time_ns=_ns(told["time"]),
    )
