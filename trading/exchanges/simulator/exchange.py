"""What customers may do at the simulated venue: place, amend, cancel."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from trading.exchanges.simulator import rules
from trading.exchanges.simulator.accounts import (
    CANCELED,
    SWEPT,
    Account,
    Amendment,
    Counter,
    Order,
)
from trading.exchanges.simulator.ledger import DEPOSIT, WITHDRAWAL, Line
from trading.exchanges.simulator.market import PairMarket
from trading.exchanges.simulator.matching import Matching
from trading.exchanges.simulator.rules import Rejected, Wish


@dataclass(slots=True)
class Exchange(Matching):
    """The venue as its customers see it."""

    def place(self, account: Account, wish: Wish, *, cost: float = 1.0) -> Order | None:
        """Check and take an order; None for one that was only to be validated.

        Raises:
            Rejected: in the venue's words.
        """
        market, status = self._market(wish.symbol), self.status_of(wish.symbol)
        rules.permit(status, "add")
        self._charge(account, wish.symbol, cost)
        rules.check(account, market, wish, mode=status, now_ns=self.clock.now_ns())
        if wish.validate:
            return None
        order = self.draft(wish, order_id=self.name("O"))
        self.take(account, market, order)
        return order

    def draft(self, wish: Wish, *, order_id: str) -> Order:
        """The order a wish makes."""
        return Order(
            order_id=order_id,
            client_id=wish.client_id,
            symbol=wish.symbol,
            side=wish.side,
            kind=wish.kind,
            quantity=wish.quantity,
            price=wish.price,
            post_only=wish.post_only,
            opened_ns=self.clock.now_ns(),
            expires_ns=wish.expires_ns,
            time_in_force=wish.time_in_force,
            stop=wish.stop,
            is_stop_up=wish.is_stop_up,
            book=wish.book,
            userref=wish.userref,
            trail=wish.trail,
        )

    def take(self, account: Account, market: PairMarket, order: Order) -> None:
        """Let a checked order meet the market."""
        order.turn = self.next_number()
        account.add(order)
        self.log("order", key=account.key, order_id=order.order_id, client_id=order.client_id,
                 symbol=order.symbol, side=order.side, type=order.kind,
                 quantity=str(order.quantity), price=str(order.price))  # fmt: skip
        account.tell("executions", {"exec_type": "pending_new", "order": order})
        account.tell("executions", {"exec_type": "new", "order": order})
        self.cross(account, market, order)

    def amend(
        self,
        account: Account,
        order: Order | None,
        *,
        quantity: Decimal | None,
        price: Decimal | None,
        stop: Decimal | None = None,
    ) -> str:
        """Another quantity or price for a working order, which stays the same order.

        Less of it keeps its turn; more, or another price, goes to the end of the queue.

        Raises:
            Rejected: nothing of it was changed.
        """
        if order is None or not order.is_open:
            raise Rejected("EOrder:Invalid order")
        rules.permit(self.status_of(order.symbol), "amend")
        market = self._market(order.symbol)
        self._charge(account, order.symbol, 1.0 + self._penalty(order, rules.AMEND_COST))
        wanted = replace(
            order,
            quantity=order.quantity if quantity is None else quantity,
            price=order.price if price is None else price,
            stop=order.stop if stop is None else stop,
        )
        rules.check_amended(account, market, order, wanted)
        name = self.name("T")
        moved = self._become(order, wanted, name)
        self.log("amend", key=account.key, order_id=order.order_id, price=str(order.price),
                 quantity=str(order.quantity))  # fmt: skip
        account.tell("executions", {"exec_type": "amended", "order": order})
        if order.left <= 0:
            self.end(account, order, CANCELED, "Amended below what was filled")
        elif moved:
            self.cross(account, market, order)
        return name

    def _become(self, order: Order, wanted: Order, name: str) -> bool:
        """Let an order be what is wanted of it; whether it stands at another price now."""
        known = order.amendments or (as_it_is(order, "original"),)
        moved = (wanted.price, wanted.stop) != (order.price, order.stop)
        if moved or wanted.quantity > order.quantity:
            order.turn = self.next_number()
        order.quantity, order.price, order.stop = wanted.quantity, wanted.price, wanted.stop
        order.amended_ns = self.clock.now_ns()
        order.amendments = (*known, as_it_is(order, "user", name))
        return moved

    def edit(self, account: Account, order: Order | None, wish: Wish) -> Order | None:
        """Another order in the place of one; None for an edit that was only to be validated.

        Raises:
            Rejected: the old one works on.
        """
        if order is None or not order.is_open or order.is_triggered:
            raise Rejected("EOrder:Invalid order")
        market, status = self._market(order.symbol), self.status_of(order.symbol)
        rules.permit(status, "amend")
        self._charge(account, order.symbol, 1.0 + self._penalty(order, rules.EDIT_COST))
        rules.check(account, market, wish, mode=status, now_ns=self.clock.now_ns(), replaced=order)
        if wish.validate:
            return None
        self.end(account, order, CANCELED, "Order replaced")
        new = self.draft(wish, order_id=self.name("O"))
        self.take(account, market, new)
        return new

    def _penalty(self, order: Order, steps: Iterable[tuple[int, int]]) -> float:
        age = (self.clock.now_ns() - max(order.opened_ns, order.amended_ns)) / 1e9
        return rules.penalty(steps, age)

    def cancel(self, account: Account, order: Order | None, *, reason: str) -> None:
        """Take an order off the book.

        Raises:
            Rejected: it is not working.
        """
        if order is None or not order.is_open:
            raise Rejected("EOrder:Unknown order")
        rules.permit(self.status_of(order.symbol), "cancel")
        cost = self._penalty(order, rules.CANCEL_COST)
        self.counter(account, order.symbol).add(cost, self.clock.now_ns())
        late = self.faults.take(("late_fill",), "CancelOrder") if order.rests else None
        if late is not None:  # the market had met it before
            self.later(late.seconds, partial(self.fill_rest, account, order))
            return
        self.end(account, order, CANCELED, reason)

    def fill_rest(self, account: Account, order: Order) -> None:
        """Fill what is left at the order's own limit."""
        if order.is_open and order.price is not None:
            now = self.clock.now_ns()
            self._fill(account, order, order.price, order.left, now, is_maker=True)

    def set_dead_man(self, account: Account, seconds: int) -> int:
        """Cancel everything after so many seconds, or, with 0, not at all; when that will be."""
        account.dead_man_ns = self.clock.now_ns() + seconds * 1_000_000_000 if seconds else 0
        self.log("dead_man", key=account.key, until_ns=account.dead_man_ns)
        return account.dead_man_ns

    def move(self, account: Account, asset: str, amount: Decimal) -> None:
        """The customer brings money to the venue, or takes it away."""
        balance = account.balances.get(asset, Decimal(0)) + amount
        kind, now_ns = DEPOSIT if amount > 0 else WITHDRAWAL, self.clock.now_ns()
        account.balances[asset] = balance
        line = Line(
            self.name("L"), self.name("Q"), now_ns, kind, asset, amount, Decimal(0), balance
        )
        account.ledger.append(line)
        self.log("move", key=account.key, asset=asset, amount=str(amount), balance=str(balance))
        account.tell("balances", {"line": line})

    def _market(self, symbol: str) -> PairMarket:
        market = self.markets.get(symbol)
        if market is None:
            raise Rejected("EQuery:Unknown asset pair")
        return market

    def told_ns(self) -> int:
        """Up to when trades were told; what has been since is told with the next look."""
        return min((one.seen_ns for one in self.markets.values()), default=self.clock.now_ns())

    def counter(self, account: Account, symbol: str) -> Counter:
        """The trading rate of an account on a pair."""
        fresh = Counter(account.engine_most, account.engine_decay)
        return account.engine.setdefault(symbol, fresh)

    def _charge(self, account: Account, symbol: str, cost: float) -> None:
        if not self.counter(account, symbol).add(cost, self.clock.now_ns()):
            raise Rejected("EOrder:Rate limit exceeded")


def as_it_is(order: Order, kind: str, name: str = "") -> Amendment:
    """What an order is now, for the list of what it was."""
    is_swept = order.kind in SWEPT
    return Amendment(
        amend_id=name or order.order_id,
        kind=kind,
        time_ns=order.amended_ns or order.opened_ns,
        quantity=order.quantity,
        left=max(order.left, Decimal(0)),
        price=None if is_swept else order.price,
        stop=order.price if is_swept else order.stop,
        post_only=order.post_only,
    )
