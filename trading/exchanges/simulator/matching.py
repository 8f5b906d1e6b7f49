"""What trades meet at the simulated venue, and its own log: the oracle of every test."""

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from trading.exchanges.simulator import rules
from trading.exchanges.simulator.accounts import (
    CANCELED,
    CLOSED,
    EXPIRED,
    LIMIT,
    MARKET,
    STOP,
    Account,
    Fill,
    Order,
)
from trading.exchanges.simulator.faults import FaultPlan
from trading.exchanges.simulator.ledger import TRADE, Line
from trading.exchanges.simulator.market import PairMarket, SimulatorClock, Trade

CENT = Decimal("0.00000001")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(slots=True)
class Matching:
    """Pairs, accounts, mode, what trades meet, and everything that happened."""

    clock: SimulatorClock
    markets: dict[str, PairMarket]
    accounts: dict[str, Account] = field(default_factory=dict)
    faults: FaultPlan = field(default_factory=FaultPlan)
    mode: str = "online"
    oracle: list[dict[str, Any]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def log(self, kind: str, **facts: Any) -> None:
        """Remember; nothing is ever taken back."""
        self.oracle.append({"kind": kind, "at_ns": self.clock.now_ns(), **facts})

    def name(self, letter: str) -> str:
        """A new identifier in the venue's manner."""
        number, letters = next(self._numbers), []
        for _ in range(16):
            number, digit = divmod(number, len(LETTERS))
            letters.append(LETTERS[digit])
        text = letter + "".join(reversed(letters))
        return f"{text[:6]}-{text[6:11]}-{text[11:]}"

    def advance(self) -> list[tuple[PairMarket, list[Trade]]]:
        """Let time pass: trades are made, orders met. What was traded, by market."""
        now = self.clock.now_ns()
        for account in self.accounts.values():
            if 0 < account.dead_man_ns <= now:
                account.dead_man_ns = 0
                self.cancel_all(account, reason="Dead man's switch")
        happened = []
        for market in self.markets.values():
            trades = list(market.trades_until(now))
            for trade in trades:
                self._meet(market, trade)
            happened.append((market, trades))
        return happened

    def _meet(self, market: PairMarket, trade: Trade) -> None:
        """Orders a public trade reaches."""
        if self.mode not in ("online",):
            return
        for account in self.accounts.values():
            mine = [o for o in account.orders.values() if o.is_open and o.symbol == market.symbol]
            for order in mine:
                self._meet_one(account, market, order, trade)

    def _meet_one(self, account: Account, market: PairMarket, order: Order, trade: Trade) -> None:
        if order.expires_ns and trade.time_ns >= order.expires_ns:
            self.end(account, order, EXPIRED, "Expired")
            return
        if order.price is None:
            return
        if order.kind == STOP:
            beyond = (
                trade.price <= order.price if order.side == "sell" else trade.price >= order.price
            )
            if beyond:
                self._sweep(account, market, order, trade.time_ns)
        elif order.kind == LIMIT:
            through = (
                trade.price < order.price if order.side == "buy" else trade.price > order.price
            )
            if through:
                quantity = min(order.left, trade.quantity)
                self._fill(account, order, order.price, quantity, trade.time_ns, is_maker=True)

    def cross(self, account: Account, market: PairMarket, order: Order) -> None:
        """What a new order meets at once."""
        now, best = self.clock.now_ns(), market.book(1)
        if order.kind == MARKET:
            self._sweep(account, market, order, now)
        elif order.kind == LIMIT and order.price is not None:
            ask, bid = best[1][0][0], best[0][0][0]
            crosses = order.price >= ask if order.side == "buy" else order.price <= bid
            if crosses:
                self._sweep(account, market, order, now, limit=order.price)

    def _sweep(
        self,
        account: Account,
        market: PairMarket,
        order: Order,
        time_ns: int,
        limit: Decimal | None = None,
    ) -> None:
        """Take from the book level by level; what a market order does not find is cancelled."""
        bids, asks = market.book()
        for price, size in asks if order.side == "buy" else bids:
            beyond = limit is not None and (price > limit if order.side == "buy" else price < limit)
            if beyond or not order.is_open:
                break
            quantity = min(order.left, size)
            self._fill(account, order, price, quantity, time_ns, is_maker=False)
        if order.is_open and order.kind != LIMIT:
            self.end(account, order, CANCELED, "Insufficient liquidity")

    def _fill(
        self,
        account: Account,
        order: Order,
        price: Decimal,
        quantity: Decimal,
        time_ns: int,
        *,
        is_maker: bool,
    ) -> None:
        base, quote = order.symbol.split("/")
        notional = price * quantity
        fee = (notional * (rules.MAKER_FEE if is_maker else rules.TAKER_FEE)).quantize(CENT)
        sign = 1 if order.side == "buy" else -1
        balances = account.balances
        balances[base] = balances.get(base, Decimal(0)) + sign * quantity
        balances[quote] = balances.get(quote, Decimal(0)) - sign * notional - fee
        fill = Fill(
            self.name("T"), next(self._numbers), time_ns, price, quantity, fee, quote, is_maker
        )
        order.fills.append(fill)
        for asset, amount, paid in (
            (base, sign * quantity, Decimal(0)),
            (quote, -sign * notional, fee),
        ):
            account.ledger.append(
                Line(self.name("L"), fill.trade_id, time_ns, TRADE, asset, amount, paid,
                     balances[asset])
            )  # fmt: skip
        self.log("fill", key=account.key, order_id=order.order_id, client_id=order.client_id,
                 trade_id=fill.trade_id, symbol=order.symbol, side=order.side, price=str(price),
                 quantity=str(quantity), fee=str(fee), fee_asset=quote, balance=str(balances[base]))  # fmt: skip
        if order.left <= 0:
            order.status, order.closed_ns = CLOSED, time_ns
        account.tell("executions", {"exec_type": "trade", "order": order, "fill": fill})
        if order.status == CLOSED:
            account.tell("executions", {"exec_type": "filled", "order": order})
        account.tell("balances", {"assets": (base, quote), "fill": fill, "order": order})

    def cancel_all(self, account: Account, *, reason: str) -> int:
        """Every working order of an account; how many there were."""
        working = [order for order in account.orders.values() if order.is_open]
        for order in working:
            self.end(account, order, CANCELED, reason)
        return len(working)

    def end(self, account: Account, order: Order, status: str, reason: str) -> None:
        """Nothing of an order works any more."""
        order.status, order.reason, order.closed_ns = status, reason, self.clock.now_ns()
        self.log("end", key=account.key, order_id=order.order_id, status=status, reason=reason)
        account.tell("executions", {"exec_type": status, "order": order})
