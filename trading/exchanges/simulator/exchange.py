"""The matching engine of the simulated venue, and its own log: the oracle of every test."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from trading.exchanges.simulator.accounts import (
    CANCELED,
    CLOSED,
    EXPIRED,
    LIMIT,
    MARKET,
    STOP,
    Account,
    Counter,
    Fill,
    Order,
)
from trading.exchanges.simulator.faults import FaultPlan
from trading.exchanges.simulator.market import PairMarket, SimulatorClock, Trade

TAKER_FEE, MAKER_FEE = Decimal("0.0026"), Decimal("0.0016")
CENT = Decimal("0.00000001")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
MOST_OPEN, ENGINE_MOST, ENGINE_DECAY = 60, 60.0, 1.0
CANCEL_COST = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
AMEND_COST = ((5, 3), (10, 2), (15, 1))
ALLOWED = {
    "online": {"add", "amend", "cancel"},
    "post_only": {"add", "amend", "cancel"},
    "cancel_only": {"cancel"},
    "maintenance": set[str](),
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


@dataclass(slots=True)
class Exchange:
    """Pairs, accounts, mode, and everything that happened."""

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
            self._end(account, order, EXPIRED, "Expired")
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

    def place(self, account: Account, wish: Wish) -> Order | None:
        """Check and take an order; None for one that was only to be validated.

        Raises:
            Rejected: in the venue's words.
        """
        self._permit("add", wish.symbol)
        market = self._market(wish.symbol)
        self._charge(account, wish.symbol, 1.0)
        self._check(account, market, wish)
        if wish.validate:
            return None
        order = Order(
            order_id=self.name("O"),
            client_id=wish.client_id,
            symbol=wish.symbol,
            side=wish.side,
            kind=wish.kind,
            quantity=wish.quantity,
            price=wish.price,
            post_only=wish.post_only,
            opened_ns=self.clock.now_ns(),
            expires_ns=wish.expires_ns,
        )
        account.orders[order.order_id] = order
        self.log("order", key=account.key, order_id=order.order_id, client_id=order.client_id,
                 symbol=order.symbol, side=order.side, type=order.kind,
                 quantity=str(order.quantity), price=str(order.price))  # fmt: skip
        account.tell("executions", {"exec_type": "pending_new", "order": order})
        account.tell("executions", {"exec_type": "new", "order": order})
        self._cross(account, market, order)
        return order

    def _cross(self, account: Account, market: PairMarket, order: Order) -> None:
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
            self._end(account, order, CANCELED, "Insufficient liquidity")

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
        fee = (notional * (MAKER_FEE if is_maker else TAKER_FEE)).quantize(CENT)
        sign = 1 if order.side == "buy" else -1
        balances = account.balances
        balances[base] = balances.get(base, Decimal(0)) + sign * quantity
        balances[quote] = balances.get(quote, Decimal(0)) - sign * notional - fee
        fill = Fill(
            self.name("T"), next(self._numbers), time_ns, price, quantity, fee, quote, is_maker
        )
        order.fills.append(fill)
        self.log("fill", key=account.key, order_id=order.order_id, client_id=order.client_id,
                 trade_id=fill.trade_id, symbol=order.symbol, side=order.side, price=str(price),
                 quantity=str(quantity), fee=str(fee), fee_asset=quote, balance=str(balances[base]))  # fmt: skip
        if order.left <= 0:
            order.status, order.closed_ns = CLOSED, time_ns
        account.tell("executions", {"exec_type": "trade", "order": order, "fill": fill})
        if order.status == CLOSED:
            account.tell("executions", {"exec_type": "filled", "order": order})
        account.tell("balances", {"assets": (base, quote), "fill": fill, "order": order})

    def amend(
        self,
        account: Account,
        order: Order | None,
        *,
        quantity: Decimal | None,
        price: Decimal | None,
    ) -> str:
        """Another quantity or price for a working order, which stays the same order.

        Raises:
            Rejected: nothing of it was changed.
        """
        if order is None or not order.is_open:
            raise Rejected("EOrder:Invalid order")
        self._permit("amend", order.symbol)
        market = self._market(order.symbol)
        age = (self.clock.now_ns() - max(order.opened_ns, order.amended_ns)) / 1e9
        self._charge(account, order.symbol, 1.0 + _penalty(AMEND_COST, age))
        _check_grid(market, quantity or order.quantity, price or order.price)
        if quantity is not None and quantity > order.quantity:
            wanted = Wish(order.symbol, order.side, order.kind, quantity - order.quantity, price)
            self._check_funds(account, market, wanted)
        order.quantity = order.quantity if quantity is None else quantity
        order.price = order.price if price is None else price
        order.amended_ns = self.clock.now_ns()
        self.log("amend", key=account.key, order_id=order.order_id, price=str(order.price),
                 quantity=str(order.quantity))  # fmt: skip
        account.tell("executions", {"exec_type": "amended", "order": order})
        if order.left <= 0:
            self._end(account, order, CANCELED, "Amended below what was filled")
        return self.name("T")

    def cancel(self, account: Account, order: Order | None, *, reason: str) -> None:
        """Take an order off the book.

        Raises:
            Rejected: it is not working.
        """
        if order is None or not order.is_open:
            raise Rejected("EOrder:Unknown order")
        self._permit("cancel", order.symbol)
        age = (self.clock.now_ns() - order.opened_ns) / 1e9
        self._counter(account, order.symbol).add(_penalty(CANCEL_COST, age), self.clock.now_ns())
        self._end(account, order, CANCELED, reason)

    def cancel_all(self, account: Account, *, reason: str) -> int:
        """Every working order of an account; how many there were."""
        working = [order for order in account.orders.values() if order.is_open]
        for order in working:
            self._end(account, order, CANCELED, reason)
        return len(working)

    def _end(self, account: Account, order: Order, status: str, reason: str) -> None:
        order.status, order.reason, order.closed_ns = status, reason, self.clock.now_ns()
        self.log("end", key=account.key, order_id=order.order_id, status=status, reason=reason)
        account.tell("executions", {"exec_type": status, "order": order})

    def _market(self, symbol: str) -> PairMarket:
        market = self.markets.get(symbol)
        if market is None:
            raise Rejected("EQuery:Unknown asset pair")
        return market

    def _permit(self, act: str, symbol: str) -> None:
        if act not in ALLOWED[self.mode]:
            raise Rejected(
                "EService:Unavailable" if self.mode == "maintenance"
                else f"EService:Market in {self.mode} mode"
            )  # fmt: skip

    def _counter(self, account: Account, symbol: str) -> Counter:
        return account.engine.setdefault(symbol, Counter(ENGINE_MOST, ENGINE_DECAY))

    def _charge(self, account: Account, symbol: str, cost: float) -> None:
        if not self._counter(account, symbol).add(cost, self.clock.now_ns()):
            raise Rejected("EOrder:Rate limit exceeded")

    def _check(self, account: Account, market: PairMarket, wish: Wish) -> None:
        if wish.deadline_ns and self.clock.now_ns() > wish.deadline_ns:
            raise Rejected("EService:Deadline elapsed")
        working = [order for order in account.orders.values() if order.is_open]
        if wish.client_id and any(order.client_id == wish.client_id for order in working):
            raise Rejected("EGeneral:Invalid arguments:cl_ord_id")
        if sum(order.symbol == wish.symbol for order in working) >= MOST_OPEN:
            raise Rejected("EOrder:Orders limit exceeded")
        _check_grid(market, wish.quantity, wish.price)
        price = wish.price or market.last_price()
        if wish.quantity < market.grid.min_quantity:
            raise Rejected("EOrder:Order minimum not met")
        if wish.quantity * price < market.grid.min_notional:
            raise Rejected("EOrder:Cost minimum not met")
        if self.mode == "post_only" and not wish.post_only:
            raise Rejected("EService:Market in post_only mode")
        if wish.post_only and wish.price is not None:
            bids, asks = market.book(1)
            met = wish.price >= asks[0][0] if wish.side == "buy" else wish.price <= bids[0][0]
            if met:
                raise Rejected("EOrder:Post only order")
        self._check_funds(account, market, wish)

    def _check_funds(self, account: Account, market: PairMarket, wish: Wish) -> None:
        base, quote = wish.symbol.split("/")
        price = wish.price or market.last_price()
        asset = base if wish.side == "sell" else quote
        needed = wish.quantity if wish.side == "sell" else wish.quantity * price * (1 + TAKER_FEE)
        free = account.balances.get(asset, Decimal(0)) - account.held(asset, fee=TAKER_FEE)
        if needed > free:
            raise Rejected("EOrder:Insufficient funds")


def _penalty(steps: Iterable[tuple[int, int]], age: float) -> float:
    return next((float(cost) for seconds, cost in steps if age < seconds), 0.0)


def _check_grid(market: PairMarket, quantity: Decimal, price: Decimal | None) -> None:
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
