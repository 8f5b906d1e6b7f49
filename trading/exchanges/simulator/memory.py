"""The simulated venue's memory: what an act changed, to be written down, and a venue as it stood."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.coinbase import Coinbase
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.images import Change, Opened, Slip, Standing

TRAFFIC = frozenset(
    {"request", "stream", "unauthorized", "invalid_nonce", "too_many"}
)  # changed no order
MARK_SECONDS = 10.0  # of the wall: how often time alone is written down


class Memory:
    """What of a venue has been told to its journal; a new one has told nothing."""

    def __init__(self, exchange: Exchange, coinbase: Coinbase) -> None:
        self._exchange, self._desk = exchange, coinbase.rest.desk
        self._accounts: dict[str, Account] = {}
        self._standings: dict[str, Standing] = {}
        self._lines: dict[str, int] = {}
        self._fills: dict[str, int] = {}
        self._events = 0
        self._marked_ns, self._open_to = 0, ("", dict[str, str]())

    def news(self) -> Change | None:
        """What changed since the last call; None where nothing did."""
        exchange = self._exchange
        events = exchange.oracle[self._events :]
        self._events = len(exchange.oracle)
        now_ns = exchange.clock.now_ns()
        change = Change(now_ns, self._seen_ns(now_ns), exchange.number, exchange.mode,
                        dict(exchange.statuses), _taken(exchange))  # fmt: skip
        for account in list(exchange.accounts.values()):
            if self._accounts.get(account.key) is not account:
                self._open(account, change)
        for account in self._touched(events):
            self._tell(account, change)
        for key, order_id in dict.fromkeys(
            (event["key"], event["order_id"]) for event in events if "order_id" in event
        ):
            self._tell_order(exchange.accounts[key], order_id, change)
        change.events = [event for event in events if event["kind"] not in TRAFFIC]
        return change if self._is_news(change) else None

    def _is_news(self, change: Change) -> bool:
        late = change.at_ns - self._marked_ns >= MARK_SECONDS * 1e9 * self._exchange.clock.speed
        open_to = (change.mode, change.statuses)
        is_told = open_to == self._open_to and not late
        if is_told and not (change.opened or change.standings or change.events):
            return False
        self._marked_ns, self._open_to = change.at_ns, open_to
        return True

    def _seen_ns(self, now_ns: int) -> int:
        return min((one.seen_ns for one in self._exchange.markets.values()), default=now_ns)

    def _open(self, account: Account, change: Change) -> None:
        """An account nothing is known of, with everything it has."""
        key = account.key
        self._accounts[key], self._lines[key] = account, 0
        self._standings.pop(key, None)
        change.opened.append(Opened.of(account))
        self._tell(account, change)
        for order_id in account.orders:
            self._fills[order_id] = 0
            self._tell_order(account, order_id, change)

    def _touched(self, events: Iterable[dict[str, Any]]) -> list[Account]:
        keys = {event["key"] for event in events if event.get("key")}
        return [account for account in self._exchange.accounts.values()
                if keys & {account.key, *account.further_keys}]  # fmt: skip

    def _tell(self, account: Account, change: Change) -> None:
        key, standing = account.key, Standing.of(account, now_ns=change.at_ns)
        if self._standings.get(key) != standing:
            self._standings[key] = standing
            change.standings.append(standing)
        fresh = account.ledger[self._lines[key] :]
        self._lines[key] = len(account.ledger)
        change.lines.extend((key, line) for line in fresh)

    def _tell_order(self, account: Account, order_id: str, change: Change) -> None:
        order = account.orders[order_id]
        change.orders.append((account.key, replace(order, fills=[])))
        fresh = order.fills[self._fills.get(order_id, 0) :]
        self._fills[order_id] = len(order.fills)
        change.fills.extend((account.key, order_id, fill) for fill in fresh)
        ticket = self._desk.tickets.get(order_id)
        if ticket is not None:
            change.slips.append(Slip.of(ticket))


def _taken(exchange: Exchange) -> dict[str, list[tuple[Decimal, Decimal]]]:
    markets = exchange.markets.values()
    return {market.symbol: list(market.taken.items()) for market in markets if market.taken}


def recall(changes: Iterable[Change], *, exchange: Exchange, coinbase: Coinbase) -> None:
    """Let a venue that knows nobody stand where the last of these changes left another."""
    for change in changes:
        exchange.number, exchange.mode = change.number, change.mode
        exchange.statuses = dict(change.statuses)
        for symbol, market in exchange.markets.items():
            market.taken = dict(change.taken.get(symbol, ()))
        for opened in change.opened:
            exchange.accounts[opened.key] = opened.make()
        for standing in change.standings:
            standing.give(exchange.accounts[standing.key])
        _recall_orders(change, exchange=exchange, coinbase=coinbase)
        for key, line in change.lines:
            exchange.accounts[key].ledger.append(line)
        exchange.oracle += change.events
    for account in exchange.accounts.values():
        account.recount()
    coinbase.resume()


def _recall_orders(change: Change, *, exchange: Exchange, coinbase: Coinbase) -> None:
    for key, order in change.orders:
        known = exchange.accounts[key].orders
        if order.order_id in known:
            order.fills = known[order.order_id].fills
        known[order.order_id] = order
    for key, order_id, fill in change.fills:
        exchange.accounts[key].orders[order_id].fills.append(fill)
    for slip in change.slips:
        coinbase.rest.desk.keep(slip.make(exchange.accounts[slip.key]))
