"""Laws of the simulated Kraken, whatever two customers do there."""

from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.engine.fakes import random_bars
from tests.exchanges.street import FUNDS, GRID, ArrayBars
from trading.exchanges.simulator import kraken_batches
from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator.accounts import LIMIT, MARKET, Account, Fill, Order
from trading.exchanges.simulator.rules import Rejected
from trading.exchanges.simulator.server import Simulator

SECOND_NS = 1_000_000_000
BARS = random_bars(3, 500)
SYMBOL, ZERO = "BTC/USD", Decimal(0)
CUSTOMERS = ("one", "other")


class House:
    """A venue without sockets and two customers, whose trading rates are without bounds."""

    def __init__(self) -> None:
        began_ns = int(BARS["open_ns"][0]) + SECOND_NS
        self.simulator = Simulator(start_ns=began_ns)
        self.simulator.clock.jump(began_ns)
        self.simulator.list_pair(SYMBOL, source=ArrayBars(BARS), grid=GRID)
        self.exchange = self.simulator.exchange
        self.market = self.exchange.markets[SYMBOL]
        for key in CUSTOMERS:
            account = self.simulator.add_account(key=key, secret="c2VjcmV0", balances=FUNDS)
            account.engine_most = 1e9

    def account(self, who: int) -> Account:
        return self.exchange.accounts[CUSTOMERS[who]]

    def price(self, steps: int) -> str:
        return str(self.market.last_price() + steps * GRID.tick_size)

    def asked(
        self, kind: str, side: str, lots: int, first: int, second: int, **more: Any
    ) -> dict[str, Any]:
        price = f"+{abs(first) + 1}" if kind == "trailing-stop" else self.price(first)
        return {"symbol": SYMBOL, "kind": kind, "side": side, "quantity": lots * GRID.lot_size,
                "price": price, "price2": self.price(second), **more}  # fmt: skip

    def act(self, name: str, *values: Any) -> None:
        """As a request does it: done, or refused and nothing of it done."""
        before = {key: dict(one.balances) for key, one in self.exchange.accounts.items()}
        try:
            getattr(self, name)(*values)
        except Rejected:
            now = {key: one.balances for key, one in self.exchange.accounts.items()}
            assert now == before

    def place(self, who: int, kind: str, side: str, lots: int, first: int, second: int) -> None:
        told = self.asked(kind, side, lots, first, second, userref=lots % 3)
        orders.add(self.exchange, self.account(who), told)

    def batch(self, who: int, side: str, lots: int, first: int, second: int) -> None:
        told = [self.asked(LIMIT, side, lots, steps, 0) for steps in (first, second)]
        kraken_batches.add(self.exchange, self.account(who), told)

    def _one(self, who: int, number: int) -> str:
        names = list(self.account(who).orders)
        return names[number % len(names)] if names else "none"

    def edit(self, who: int, number: int, lots: int, first: int) -> None:
        told = {"order_id": self._one(who, number), "quantity": lots * GRID.lot_size}
        kraken_batches.edit(self.exchange, self.account(who), told | {"price": self.price(first)})

    def amend(self, who: int, number: int, lots: int, first: int, level: str) -> None:
        told = {"order_id": self._one(who, number), "quantity": lots * GRID.lot_size}
        orders.amend(self.exchange, self.account(who), told | {level: self.price(first)})

    def cancel(self, who: int, number: int) -> None:
        orders.cancel(self.exchange, self.account(who), {"order_id": self._one(who, number)})

    def forget(self, who: int, userref: int) -> None:
        orders.cancel_batch(self.exchange, self.account(who), {"orders": [userref]})

    def wait(self, seconds: int) -> None:
        clock = self.simulator.clock
        clock.jump(clock.now_ns() + seconds * SECOND_NS)
        self.exchange.advance()


def fills(account: Account) -> list[tuple[Order, Fill]]:
    return [(order, fill) for order in account.orders.values() for fill in order.fills]


WHO, NUMBERS, STEPS = st.integers(0, 1), st.integers(0, 9), st.integers(-60, 60)
LOTS, SIDES = st.integers(1, 60_000), st.sampled_from(["buy", "sell"])
ACTS = st.one_of(
    st.tuples(st.just("place"), WHO, st.sampled_from(orders.KINDS), SIDES, LOTS, STEPS, STEPS),
    st.tuples(st.just("batch"), WHO, SIDES, LOTS, STEPS, STEPS),
    st.tuples(st.just("edit"), WHO, NUMBERS, LOTS, STEPS),
    st.tuples(st.just("amend"), WHO, NUMBERS, LOTS, STEPS, st.sampled_from(["limit", "trigger"])),
    st.tuples(st.just("cancel"), WHO, NUMBERS),
    st.tuples(st.just("forget"), WHO, st.integers(0, 2)),
    st.tuples(st.just("wait"), st.integers(0, 120)),
)  # fmt: skip
ALL_KINDS = [("place", 0, kind, "sell", 2_000, n - 3, n - 4) for n, kind in enumerate(orders.KINDS)]


@settings(max_examples=80, deadline=None)
@example(acts=[*ALL_KINDS, ("wait", 120), ("place", 1, MARKET, "buy", 50_000, 0, 0)])
@given(acts=st.lists(ACTS, max_size=30))
def test_money_is_conserved_and_held_and_nobody_pays_more_than_the_limit(
    acts: list[tuple[Any, ...]],
) -> None:
    house = House()
    for name, *values in acts:
        house.act(name, *values)

        for account in map(house.account, (0, 1)):
            assert all(account.free(asset) >= 0 for asset in FUNDS), "held more than there is"
            assert all(order.left > 0 for order in account.working())

    for account in map(house.account, (0, 1)):
        done = [(1 if order.side == "buy" else -1, fill) for order, fill in fills(account)]
        base = sum((sign * fill.quantity for sign, fill in done), ZERO)
        quote = sum((sign * f.price * f.quantity + f.fee for sign, f in done), ZERO)
        assert account.balances == {"BTC": FUNDS["BTC"] + base, "USD": FUNDS["USD"] - quote}
        assert all(order.filled <= order.quantity or order.amendments
                   for order in account.orders.values())  # fmt: skip
        moved = {asset: ZERO for asset in FUNDS}
        for line in account.ledger:
            moved[line.asset] += line.amount - line.fee
        assert moved == account.balances


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(ACTS, max_size=25))
def test_no_fill_is_worse_than_the_limit_that_stood_and_the_same_acts_give_the_same_log(
    acts: list[tuple[Any, ...]],
) -> None:
    house, again = House(), House()
    worse: list[Fill] = []

    def hear(about: str, event: dict[str, Any]) -> None:
        order: Order = event.get("order")  # type: ignore[assignment]
        if about != "executions" or event["exec_type"] != "trade" or not order.rests:
            return
        fill = event["fill"]
        is_worse = fill.price > order.price if order.side == "buy" else fill.price < order.price
        worse.extend([fill] * is_worse)

    for account in map(house.account, (0, 1)):
        account.listeners.append(hear)
    for name, *values in acts:
        house.act(name, *values)
        again.act(name, *values)

    assert worse == []
    assert house.exchange.oracle == again.exchange.oracle


RICH = {"BTC": Decimal(1_000), "USD": Decimal(10**8)}
PLACES = st.integers(0, 1)  # at the last price, which no level of the book has, or a tick below
BIDS = st.lists(st.tuples(WHO, st.integers(10, 400), PLACES), min_size=1, max_size=8)
CHANGES = st.lists(st.tuples(st.integers(0, 7), st.integers(10, 500), PLACES), max_size=4)


@settings(max_examples=80, deadline=None)
@given(bids=BIDS, changes=CHANGES, lots=st.integers(1, 2_000), deep=st.booleans())
def test_a_seller_meets_the_better_price_and_then_who_came_first(
    bids: list[tuple[int, int, int]],
    changes: list[tuple[int, int, int]],
    lots: int,
    deep: bool,
) -> None:
    house = House()
    for account in map(house.account, (0, 1)):
        account.balances |= RICH
    house.simulator.add_account(key="third", secret="c2VjcmV0", balances=RICH)
    queues: list[list[Order]] = [[], []]
    made: list[tuple[Order, int]] = []
    for who, size, place in bids:
        told = house.asked(LIMIT, "buy", size, -place, 0)
        order = orders.add(house.exchange, house.account(who), told)
        assert order is not None
        queues[place].append(order)
        made.append((order, place))
    for number, size, place in changes:
        order, was = made[number % len(made)]
        owner = next(a for a in map(house.account, (0, 1)) if order.order_id in a.orders)
        loses_turn = size * GRID.lot_size > order.quantity or place != was
        told = {"order_id": order.order_id, "quantity": size * GRID.lot_size,
                "limit": house.price(-place)}  # fmt: skip
        orders.amend(house.exchange, owner, told)
        if loses_turn:
            queues[was].remove(order)
            queues[place].append(order)
            made[number % len(made)] = (order, place)
    shown = house.market.book(1)[0][0][1]
    wanted = lots * GRID.lot_size + (shown if deep else ZERO)

    sold = orders.add(house.exchange, house.exchange.accounts["third"],
                      house.asked(MARKET, "sell", 1, 0, 0) | {"quantity": wanted})  # fmt: skip

    assert sold is not None
    left = sold.quantity
    for place, queue in enumerate(queues):
        left -= min(left, shown if place else ZERO)
        for order in queue:
            assert order.filled == min(order.quantity, left)
            left -= order.filled
    given_, taken = (
        sum((f.quantity for o in made_ for f in o.fills), ZERO)
        for made_ in ([order for order, _ in made], [sold])
    )
    assert given_ <= taken == sold.quantity


def test_a_level_of_the_book_is_sold_once_and_is_there_again_with_the_next_trade() -> None:
    house = House()
    house.account(0).balances |= RICH
    (price, size), (second, _) = house.market.book(2)[1]

    told = house.asked(MARKET, "buy", 1, 0, 0) | {"quantity": size}
    first, next_ = (orders.add(house.exchange, house.account(0), told) for _ in "ab")

    assert first is not None
    assert {fill.price for fill in first.fills} == {price}
    assert next_ is not None
    assert next_.fills[0].price == second
    house.wait(1)
    bids, asks = house.market.book()
    assert len(bids) == len(asks) == 25
    assert asks[0][0] == house.market.last_price() + GRID.tick_size


def test_a_trailing_stop_follows_the_market_its_way_alone_and_sells_where_it_turns() -> None:
    house = House()
    told = house.asked("trailing-stop", "sell", 100, 0, 0) | {"price": "+0.3%"}
    order = orders.add(house.exchange, house.account(0), told)
    assert order is not None
    assert order.price is not None
    levels, peak = [order.price], house.market.last_price()

    while order.is_open:
        house.wait(1)
        last = house.market.last_price()
        peak = max(peak, last)
        levels.append(order.price)
        assert order.is_open == (last > levels[-1])
        assert peak * Decimal("0.997") - GRID.tick_size < order.price <= peak * Decimal("0.997")

    assert levels == sorted(levels)
    assert levels[-1] > levels[0]
    assert order.status == "closed"


def test_a_purchase_at_what_there_is_ends_where_the_money_does() -> None:
    house = House()
    account = house.account(0)
    account.balances["USD"] = house.market.last_price() * Decimal("1.0026")

    order = orders.add(house.exchange, account, house.asked(MARKET, "buy", 10_000, 0, 0))

    assert order is not None
    assert (order.status, order.reason) == ("canceled", "Out of funds")
    assert 0 < order.filled < order.quantity == 1
    assert 0 <= account.balances["USD"] < house.market.last_price() * GRID.lot_size * 2
