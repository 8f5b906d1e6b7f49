"""What only tests may do to the simulated venue: faults, modes, terms of pairs, money that moves."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.matching import ONLINE

GRID = ("tick_size", "lot_size", "min_quantity", "min_notional")


def act(exchange: Exchange, what: str, told: Mapping[str, Any]) -> None:
    """One act by its name.

    Raises:
        UnknownFault: a fault that is none.
    """
    match what:
        case "note":
            exchange.log("note", words=str(told["words"]))
        case "fault":
            exchange.faults.arm(Fault(**told))
        case "heal":
            exchange.faults.armed.clear()
        case "mode":
            exchange.mode = told["mode"]
        case "move":
            account = exchange.accounts[told["key"]]
            exchange.move(account, told["asset"], Decimal(told["amount"]))
        case "pair":
            _change_pair(exchange, told)


def _change_pair(exchange: Exchange, told: Mapping[str, Any]) -> None:
    """Other terms for one pair; what is not named stays."""
    symbol, status = told["symbol"], told.get("status", "")
    if status:
        exchange.statuses[symbol] = status
    if status == ONLINE:
        del exchange.statuses[symbol]
    market = exchange.markets[symbol]
    market.grid = replace(market.grid, **{one: Decimal(told[one]) for one in GRID if one in told})
