"""Accounts of the simulated venue: balances, holds, orders, fills, and what they may still ask."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator.ledger import Line

OPEN, CLOSED, CANCELED, EXPIRED = "open", "closed", "canceled", "expired"
STOP, LIMIT, MARKET = "stop-loss", "limit", "market"
STOP_LIMIT, BRACKET = "stop-limit", "bracket"
STOP_LOSS_LIMIT, TAKE_PROFIT = "stop-loss-limit", "take-profit"
TAKE_PROFIT_LIMIT, TRAILING = "take-profit-limit", "trailing-stop"
SWEPT = (
    STOP,
    TAKE_PROFIT,
    TRAILING,
)  # their price is the trigger, and then they take what there is
LIMITED = (STOP_LIMIT, STOP_LOSS_LIMIT, TAKE_PROFIT_LIMIT)  # limits that wait for their stop
GTC, IOC, FOK = "gtc", "ioc", "fok"
KRAKEN, COINBASE = "kraken", "coinbase"
BASE = "base"
RIGHTS = (
    "query-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
    "create-ws-token",
    "query-ledger",
)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Fees as fractions of what is traded."""

    maker: Decimal
    taker: Decimal


KRAKEN_TARIFF = Tariff(maker=Decimal("0.0016"), taker=Decimal("0.0026"))
COINBASE_TARIFF = Tariff(maker=Decimal("0.0040"), taker=Decimal("0.0060"))


@dataclass(slots=True)
class Fill:
    """One execution of one order."""

    trade_id: str
    number: int
    time_ns: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an order was made by one act of its customer's."""

    amend_id: str
    kind: str  # original, user
    time_ns: int
    quantity: Decimal
    left: Decimal
    price: Decimal | None  # the limit
    stop: Decimal | None  # the trigger
    post_only: bool


@dataclass(slots=True)
class Order:
    """An order as the venue knows it."""

    order_id: str
    client_id: str
    symbol: str
    side: str  # buy, sell
    kind: str  # market, limit, bracket, one of SWEPT or LIMITED
    quantity: Decimal
    price: Decimal | None  # limit or trigger
    post_only: bool
    opened_ns: int
    expires_ns: int = 0
    status: str = OPEN
    reason: str = ""
    closed_ns: int = 0
    amended_ns: int = 0
    time_in_force: str = GTC
    stop: Decimal | None = None  # beside a limit: what lets it work, or ends the bracket
    is_stop_up: bool = False
    is_triggered: bool = False
    book: str = ""  # the market it meets where that is not its symbol's own
    fills: list[Fill] = field(default_factory=list)
    userref: int = 0
    trail: str = ""  # how far behind the market the trigger follows: +100, +2%
    turn: int = 0  # in the queue at its price
    amendments: tuple[Amendment, ...] = ()

    @property
    def filled(self) -> Decimal:
        """Base quantity executed so far."""
        return sum((fill.quantity for fill in self.fills), Decimal(0))

    @property
    def left(self) -> Decimal:
        """Base quantity not executed yet."""
        return self.quantity - self.filled

    @property
    def cost(self) -> Decimal:
        """Quote quantity executed so far."""
        return sum((fill.price * fill.quantity for fill in self.fills), Decimal(0))

    @property
    def fee(self) -> Decimal:
        """Fees so far, in quote."""
        return sum((self.fee_of(fill) for fill in self.fills), Decimal(0))

    def fee_of(self, fill: Fill) -> Decimal:
        """One fill's fee in quote; a third asset's is none."""
        base, quote = self.symbol.split("/")
        return fill.fee * {quote: Decimal(1), base: fill.price}.get(fill.fee_asset, Decimal(0))

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status == OPEN

    @property
    def rests(self) -> bool:
        """Whether its limit stands in the book."""
        if self.kind in LIMITED:
            return self.is_triggered
        return self.kind == LIMIT or (self.kind == BRACKET and not self.is_triggered)

    def reaches_stop(self, price: Decimal) -> bool:
        """Whether a trade at this price sets off its stop."""
        if self.stop is None or self.is_triggered:
            return False
        return price >= self.stop if self.is_stop_up else price <= self.stop

    def is_beyond(self, price: Decimal) -> bool:
        """Whether a trade at this price sets off an order whose own price is the trigger."""
        rises = (self.side == "sell") == (self.kind == TAKE_PROFIT)
        return self.price is not None and (price >= self.price if rises else price <= self.price)

    def hold(self, tariff: Tariff) -> tuple[str, Decimal]:
        """(asset, amount): what is kept for what is left of it."""
        base, quote = self.symbol.split("/")
        if self.side == "sell":
            return base, self.left
        return quote, self.left * (self.price or Decimal(0)) * (1 + tariff.taker)


@dataclass(slots=True)
class Counter:
    """A rate counter: each call adds its cost, time takes away."""

    most: float
    decay: float
    level: float = 0.0
    at_ns: int = 0

    def add(self, cost: float, now_ns: int) -> bool:
        """Whether the call is within the limit; it counts either way."""
        self.level, self.at_ns = self.now(now_ns) + cost, now_ns
        return self.level <= self.most

    def now(self, now_ns: int) -> float:
        """How far it is."""
        elapsed = max(0, now_ns - self.at_ns) / 1e9
        return max(0.0, self.level - elapsed * self.decay)


Listener = Callable[[str, dict[str, Any]], None]


@dataclass(slots=True)
class Account:
    """One customer of the venue, known by the key."""

    key: str
    secret: str
    balances: dict[str, Decimal]
    rights: tuple[str, ...] = RIGHTS
    venue: str = KRAKEN  # whose wire protocol it speaks
    tariff: Tariff = KRAKEN_TARIFF
    opened_ns: int = 0
    nonce: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    ledger: list[Line] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    calls: Counter = field(default_factory=lambda: Counter(15, 0.33))
    engine: dict[str, Counter] = field(default_factory=dict)  # by pair
    engine_most: float = 60.0
    engine_decay: float = 1.0
    dead_man_ns: int = 0
    unlisted_until_ns: int = 0  # new orders are missing from OpenOrders until then
    further_keys: dict[str, str] = field(default_factory=dict)  # with their secrets
    tokens: dict[str, int] = field(default_factory=dict)  # for private sockets, until when
    public_key: str = ""  # PEM, where of the secret only that half is kept
    fee_in: str = ""  # the asset purchases are charged in, or BASE; empty: the quote currency
    _working: list[Order] = field(default_factory=list)  # and some that ended since it was asked

    def secret_of(self, key: str) -> str | None:
        """The secret that belongs to one of the account's keys."""
        return self.secret if key == self.key else self.further_keys.get(key)

    def add(self, order: Order) -> None:
        """A new order."""
        self.orders[order.order_id] = order
        self._working.append(order)

    def recount(self) -> None:
        """Go through all orders for those that work."""
        self._working = list(self.orders.values())

    def working(self) -> list[Order]:
        """Orders that may still fill, oldest first; what ended long ago costs nothing."""
        self._working = [order for order in self._working if order.is_open]
        return self._working.copy()

    def held(self, asset: str, *, without: Order | None = None) -> Decimal:
        """What open orders keep of an asset."""
        holds = (order.hold(self.tariff) for order in self.working() if order is not without)
        return sum((amount for kept, amount in holds if kept == asset), Decimal(0))

    def free(self, asset: str, *, without: Order | None = None) -> Decimal:
        """What may still be spent of an asset."""
        return self.balances.get(asset, Decimal(0)) - self.held(asset, without=without)

    def find(self, *, order_id: str = "", client_id: str = "") -> Order | None:
        """An order by the venue's or, the newest, by the customer's name."""
        if order_id:
            return self.orders.get(order_id)
        mine = [order for order in self.orders.values() if order.client_id == client_id]
        return mine[-1] if mine and client_id else None

    def tell(self, channel: str, event: dict[str, Any]) -> None:
        """News for every private socket."""
        for listener in list(self.listeners):
            listener(channel, event)
