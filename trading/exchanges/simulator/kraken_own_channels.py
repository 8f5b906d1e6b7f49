"""Channels of one's own at the simulated venue: orders as they change, and every amount that moves."""

import math
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_rows as rows
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.kraken_outlet import Outlet
from trading.exchanges.simulator.ledger import Line

CHANNELS = ("executions", "balances")
EARN = {"F": "flex", "S": "bonded", "B": "flexible", "M": "liquid"}  # wallet of a balance's ending


def subscribe(outlet: Outlet, channel: str, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Begin to tell one, with a sequence of its own.

    Raises:
        Rejected: in the venue's words.
    """
    account = outlet.account_of(params)
    if outlet.account is None:
        outlet.account = account

        def listener(about: str, event: dict[str, Any]) -> None:
            _on_private(outlet, about, event)

        outlet.listener = listener
        account.listeners.append(listener)
    outlet.subscriptions.add((channel, "", 0))
    outlet.sequence[channel] = 0
    if channel == "executions":
        most = {"maxratecount": int(account.engine_most)}
        outlet.tells_rate = outlet.tells_rate or bool(params.get("ratecounter"))
        outlet.ack(base, {"channel": channel, "snap_orders": True, "snap_trades": False, **most})
        now = outlet.exchange.clock.now_ns()
        events = [{"exec_type": "snapshot", "order": order} for order in account.working()]
        _tell(outlet, channel, "snapshot", [rows.execution(one, now_ns=now) for one in events])
        return
    has_snapshot = params.get("snapshot", True)
    outlet.ack(base, {"channel": channel, "snapshot": has_snapshot})
    if has_snapshot:
        _tell(outlet, channel, "snapshot", _balances(account))


def _tell(outlet: Outlet, channel: str, kind: str, told: list[dict[str, Any]]) -> None:
    outlet.sequence[channel] += 1
    outlet.tell(channel, kind, told, sequence=outlet.sequence[channel])


def _balances(account: Account) -> list[dict[str, Any]]:
    """Each asset over all wallets; what REST lists with an ending earns, or is locked."""
    wallets: dict[str, list[dict[str, Any]]] = {}
    for name, value in account.balances.items():
        asset, _, ending = name.partition(".")
        kind, wallet = _wallet(ending)
        wallets.setdefault(asset, []).append(
            {"type": kind, "id": wallet, "balance": words.raw(value)}
        )
    return [
        {
            "asset": asset,
            "asset_class": "currency",
            "balance": words.raw(_total(account, asset)),
            "wallets": mine,
        }
        for asset, mine in wallets.items()
    ]


def _wallet(ending: str) -> tuple[str, str]:
    return ("earn", EARN.get(ending, "locked")) if ending else ("spot", "main")


def _total(account: Account, asset: str) -> Decimal:
    mine = [value for name, value in account.balances.items() if name.partition(".")[0] == asset]
    return sum(mine, Decimal(0))


def _on_private(outlet: Outlet, channel: str, event: dict[str, Any]) -> None:
    """News of the account this socket belongs to, and answers that come late, whoever asked."""
    if channel == "answers":
        outlet.send(event["message"])
        return
    if (channel, "", 0) not in outlet.subscriptions or outlet.account is None:
        return
    if channel == "executions":
        told = [{**rows.execution(event, now_ns=outlet.exchange.clock.now_ns()),
                 **_rate(outlet, outlet.account, event["order"])}]  # fmt: skip
    else:
        told = [_ledger_row(event["line"])]
    _tell(outlet, channel, "update", told)


def _rate(outlet: Outlet, account: Account, order: Order) -> dict[str, Any]:
    """How far the pair's counter is, for those who asked for it."""
    if not outlet.tells_rate:
        return {}
    counter = outlet.exchange.counter(account, order.symbol)
    return {"ratecount": math.ceil(counter.now(outlet.exchange.clock.now_ns()))}


def _ledger_row(line: Line) -> dict[str, Any]:
    """What moved, and what that left in its wallet."""
    asset, _, ending = line.asset.partition(".")
    kind, wallet = _wallet(ending)
    return {
        "ledger_id": line.ledger_id,
        "ref_id": line.reference,
        "timestamp": words.stamp(line.time_ns),
        "type": line.kind,
        "category": line.kind,
        "asset": asset,
        "asset_class": "currency",
        "wallet_type": kind,
        "wallet_id": wallet,
        "amount": words.raw(line.amount),
        "fee": words.raw(line.fee),
        "balance": words.raw(line.balance),
    }
