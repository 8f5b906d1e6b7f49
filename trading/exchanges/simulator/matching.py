"""What trades meet at the simulated venue, and its own log: the oracle of every test."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from trading.exchanges.simulator import queues, trailing
from trading.exchanges.simulator.accounts import (
    BASE,
    CANCELED,
    CLOSED,
    EXPIRED,
    FOK,
    GTC,
    LIMITED,
    MARKET,
    SWEPT,
    Account,
    Fill,
    Order,
)
from trading.exchanges.simulator.faults import FaultPlan
from trading.exchanges.simulator.ledger import TRADE, Line
from trading.exchanges.simulator.market import PairMarket, SimulatorClock, Trade

CENT, NOTHING = Decimal("0.00000001"), Decimal(0)
ONLINE = "online"
HALTED = ("cancel_only", "post_only", "maintenance", "work_in_progress", "delisted")  # pairs
SWITCH = "Dead man's switch"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(slots=True)
class Matching:
    """Pairs, accounts, mode, what trades meet, and everything that happened."""

    clock: SimulatorClock
    markets: dict[str, PairMarket]
    accounts: dict[str, Account] = field(default_factory=dict)
    faults: FaultPlan = field(default_factory=FaultPlan)
    mode: str = ONLINE
    statuses: dict[str, str] = field(default_factory=dict)  # of Kraken's pairs that are not online
    oracle: list[dict[str, Any]] = field(default_factory=list)
    agenda: list[tuple[int, int, Callable[[], object]]] = field(default_factory=list)
    settle: Callable[[], None] = lambda: None  # an act is over, and nothing of it was told yet
    number: int = 0  # the last one given
    _turns: "count[int]" = field(default_factory=count)

    def log(self, kind: str, **facts: Any) -> None:
        """Remember; nothing is ever taken back."""
        self.oracle.append({"kind": kind, "at_ns": self.clock.now_ns(), **facts})

    def status_of(self, symbol: str) -> str:
        """What may be done with a pair: the venue's mode, or the pair's own where that is online."""
        return self.statuses.get(symbol, ONLINE) if self.mode == ONLINE else self.mode

    def next_number(self) -> int:
        """One that nothing else has."""
        self.number += 1
        return self.number

    def name(self, letter: str) -> str:
        """A new identifier in the venue's manner."""
        number, letters = self.next_number(), []
        for _ in range(16):
            number, digit = divmod(number, len(LETTERS))
            letters.append(LETTERS[digit])
        text = letter + "".join(reversed(letters))
        return f"{text[:6]}-{text[6:11]}-{text[11:]}"

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something the first time that time passes after so many seconds of the market."""
        due_ns = self.clock.now_ns() + int(seconds * 1e9)
        heapq.heappush(self.agenda, (due_ns, next(self._turns), act))

    def advance(self) -> list[tuple[PairMarket, list[Trade]]]:
        """Let time pass: trades are made, orders met. What was traded, by market."""
        now = self.clock.now_ns()
        while self.agenda and self.agenda[0][0] <= now:
            heapq.heappop(self.agenda)[2]()
        for account in self.accounts.values():
            if 0 < account.dead_man_ns <= now:
                account.dead_man_ns = 0
                self.cancel_all(account, reason=SWITCH)
                self.log("dead_man", key=account.key, until_ns=0)
        happened = []
        for market in self.markets.values():
            trades = list(market.trades_until(now))
            for trade in trades:
                self._meet(market, trade)
            happened.append((market, trades))
        return happened

    def _meet(self, market: PairMarket, trade: Trade) -> None:
        """Orders a public trade reaches."""
        if self.mode != ONLINE:
            return
        left = trade.quantity
        for account, order in self._line(market):
            left -= self._meet_one(account, market, order, trade, left)

    def _line(self, market: PairMarket) -> list[tuple[Account, Order]]:
        """Working orders of a market by turns, but for those a halt keeps away."""
        is_halted = self.status_of(market.symbol) in HALTED
        return queues.in_line(self.accounts.values(), market, is_halted=is_halted)

    def _meet_one(
        self, account: Account, market: PairMarket, order: Order, trade: Trade, left: Decimal
    ) -> Decimal:
        """How much of what is left of a trade an order takes."""
        if not order.is_open:  # a stop before it in the line took the rest of it
            return NOTHING
        if order.expires_ns and trade.time_ns >= order.expires_ns:
            self.end(account, order, EXPIRED, "Expired")
        elif order.price is None:
            return NOTHING
        elif order.kind in SWEPT:
            if order.is_beyond(trade.price):
                self._sweep(account, market, order, trade.time_ns)
            elif order.trail:
                self._follow(account, market, order, trade.price)
        elif order.reaches_stop(trade.price):
            self._trigger(account, market, order, trade.time_ns)
        elif order.rests:
            through = (
                trade.price < order.price if order.side == "buy" else trade.price > order.price
            )
            if through and left > 0:
                taken = min(order.left, left)
                self._fill(account, order, order.price, taken, trade.time_ns, is_maker=True)
                return taken
        return NOTHING

    def _follow(self, account: Account, market: PairMarket, order: Order, price: Decimal) -> None:
        """A trailing stop moves with the market, where that goes its way."""
        level = trailing.trigger(order.side, order.trail, price, market.grid.tick_size)
        if order.price is not None and trailing.follows(order.side, order.price, level):
            order.price = level
            self.log("trail", key=account.key, order_id=order.order_id, price=str(level))

    def _trigger(self, account: Account, market: PairMarket, order: Order, time_ns: int) -> None:
        """A limit begins to work; a bracket sells at what there is."""
        order.is_triggered, order.turn = True, self.next_number()
        self.log("trigger", key=account.key, order_id=order.order_id)
        account.tell("executions", {"exec_type": "triggered", "order": order})
        if order.kind in LIMITED:
            self.cross(account, market, order)
        else:
            self._sweep(account, market, order, time_ns)

    def cross(self, account: Account, market: PairMarket, order: Order) -> None:
        """What a new order meets at once."""
        if order.kind != MARKET and not order.rests:
            return
        within = queues.offers(self._line(market), market, account, order)
        if order.post_only and next(within, None) is not None:
            self.end(account, order, CANCELED, "Post only order")
        elif order.time_in_force != FOK or sum(one.size for one in within) >= order.left:
            self._sweep(account, market, order, self.clock.now_ns())
        if order.is_open and order.time_in_force != GTC:
            self.end(account, order, CANCELED, "Not all of it could be filled at once")

    def _sweep(self, account: Account, market: PairMarket, order: Order, time_ns: int) -> None:
        """Take what stands against an order; what a market order does not find is cancelled."""
        reason = "Insufficient liquidity"
        for offer in queues.offers(self._line(market), market, account, order):
            wanted = min(order.left, offer.size)
            quantity = min(queues.affordable(account, market, order, offer.price), wanted)
            if quantity < wanted:
                reason = "Out of funds"
            if quantity <= 0:
                break
            if offer.maker is None:
                market.take(offer.price, quantity)
            else:
                self._fill(*offer.maker, offer.price, quantity, time_ns, is_maker=True)
            self._fill(account, order, offer.price, quantity, time_ns, is_maker=False)
        if order.is_open and not order.rests:
            self.end(account, order, CANCELED, reason)

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
        sign, notional = 1 if order.side == "buy" else -1, price * quantity
        rate = account.tariff.maker if is_maker else account.tariff.taker
        asset, fee = _charge_in(account, order, rate, quantity, notional)
        fill = Fill(
            self.name("T"), self.next_number(), time_ns, price, quantity, fee, asset, is_maker
        )
        order.fills.append(fill)
        balances, moved = account.balances, {base: sign * quantity, quote: -sign * notional}
        assets = tuple(dict.fromkeys((base, quote, asset)))
        lines = []
        for one in assets:
            amount, paid = moved.get(one, Decimal(0)), fee if one == asset else Decimal(0)
            balances[one] = balances.get(one, Decimal(0)) + amount - paid
            lines.append(
                Line(self.name("L"), fill.trade_id, time_ns, TRADE, one, amount, paid,
                     balances[one])
            )  # fmt: skip
        account.ledger += lines
        self.log("fill", key=account.key, order_id=order.order_id, client_id=order.client_id,
                 trade_id=fill.trade_id, symbol=order.symbol, side=order.side, price=str(price),
                 quantity=str(quantity), fee=str(fee), fee_asset=asset, balance=str(balances[base]))  # fmt: skip
        if order.left <= 0:
            order.status, order.closed_ns = CLOSED, time_ns
        account.tell("executions", {"exec_type": "trade", "order": order, "fill": fill})
        if order.status == CLOSED:
            account.tell("executions", {"exec_type": "filled", "order": order})
        for line in lines:
            account.tell("balances", {"line": line})

    def cancel_all(self, account: Account, *, reason: str) -> int:
        """Every working order of an account; how many there were."""
        working = account.working()
        for order in working:
            self.end(account, order, CANCELED, reason)
        return len(working)

    def end(self, account: Account, order: Order, status: str, reason: str) -> None:
        """Nothing of an order works any more."""
        order.status, order.reason, order.closed_ns = status, reason, self.clock.now_ns()
        self.log("end", key=account.key, order_id=order.order_id, status=status, reason=reason)
        account.tell("executions", {"exec_type": status, "order": order})


def _charge_in(
    account: Account, order: Order, rate: Decimal, quantity: Decimal, notional: Decimal
) -> tuple[str, Decimal]:
    """The asset a fill is charged in, and the fee; a third asset is worth one of the quote."""
    base, quote = order.symbol.split("/")
    if order.side == "sell" or not account.fee_in:
        return quote, (notional * rate).quantize(CENT)
    if account.fee_in == BASE:
        return base, (quantity * rate).quantize(CENT)
    return account.fee_in, (notional * rate).quantize(CENT)
