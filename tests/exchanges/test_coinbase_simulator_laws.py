"""Laws of the simulated Coinbase that hold whatever is asked."""

import time
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import random_bars
from tests.exchanges.coinbase_customer import Customer
from tests.exchanges.street import FUNDS, GRID, ArrayBars
from trading.exchanges.simulator.accounts import Account, Fill
from trading.exchanges.simulator.coinbase_account import AccountMethods
from trading.exchanges.simulator.coinbase_asked import Asked, HttpRefusal
from trading.exchanges.simulator.coinbase_candles import rows
from trading.exchanges.simulator.coinbase_edits import Edits
from trading.exchanges.simulator.coinbase_jwt import (
    Unauthorized,
    make_key,
    read_public_key,
    verify,
)
from trading.exchanges.simulator.coinbase_market import MarketMethods
from trading.exchanges.simulator.coinbase_tickets import user_row
from trading.exchanges.simulator.server import Simulator

SECOND_NS = 1_000_000_000
BARS = random_bars(3, 500)
ENDED = {"FILLED", "CANCELLED", "EXPIRED"}
KEY = make_key()
PUBLIC = {KEY.name: read_public_key(KEY.secret)}
URI = "GET api.coinbase.com/api/v3/brokerage/accounts"
TOKEN = Customer.token
LETTERS = "ABCXYZabcxyz0189-_.="


@given(place=st.integers(0, 10_000), letter=st.sampled_from(LETTERS))
def test_a_token_changed_anywhere_proves_nobody(place: int, letter: str) -> None:
    signer = Customer.__new__(Customer)
    signer.name, signer.secret = KEY.name, KEY.secret
    signer.__post_init__()
    good = signer.token("GET /api/v3/brokerage/accounts")
    place %= len(good)
    bad = good[:place] + letter + good[place + 1 :]

    assert verify(good, PUBLIC, uri=URI, times_s=(time.time(),)) == KEY.name
    if bad != good:
        with pytest.raises(Unauthorized):
            verify(bad, PUBLIC, uri=URI, times_s=(time.time(),))


class House:
    """A venue without sockets, one customer, and what every order was ever told to be."""

    def __init__(self) -> None:
        began_ns = int(BARS["open_ns"][0]) + SECOND_NS
        self.simulator = Simulator(start_ns=began_ns)
        self.simulator.clock.jump(began_ns)
        self.simulator.list_pair("BTC/USD", source=ArrayBars(BARS), grid=GRID)
        self.account = self.simulator.coinbase.add_account(
            key=KEY.name, secret=KEY.secret, balances=FUNDS
        )
        self.desk = self.simulator.coinbase.rest.desk
        self.edits, self.mine = Edits(self.desk), AccountMethods(self.desk)
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.account.listeners.append(self._hear)

    def _hear(self, about: str, event: dict[str, Any]) -> None:
        if about == "executions":
            order_id = event["order"].order_id
            row = user_row(self.desk.tickets[order_id])
            self.history.setdefault(order_id, []).append(row)

    def asked(self, **body: Any) -> Asked:
        return Asked(self.account, {}, {}, body)

    def price(self, steps: int) -> str:
        """A price so many ticks beside the market."""
        market = self.simulator.exchange.markets["BTC/USD"]
        return str(market.last_price() + steps * GRID.tick_size)

    def place(self, number: int, style: str, side: str, lots: int, steps: int, stop: int) -> None:
        up = "STOP_DIRECTION_STOP_UP" if stop > 0 else "STOP_DIRECTION_STOP_DOWN"
        prices = {"stop_price": self.price(stop), "stop_trigger_price": self.price(stop),
                  "limit_price": self.price(steps), "stop_direction": up}  # fmt: skip
        in_quote = style.endswith("quote")
        size = {"quote_size": str(lots)} if in_quote else {"base_size": str(lots * GRID.lot_size)}
        configuration = {style.removesuffix("/quote"): size | prices}
        self.desk.place(self.asked(client_order_id=str(number), product_id="BTC-USD", side=side,
                                   order_configuration=configuration))  # fmt: skip

    def one(self, number: int) -> str:
        names = list(self.desk.tickets)
        return names[number % len(names)] if names else "none"

    def cancel(self, number: int) -> None:
        self.desk.cancel(self.asked(order_ids=[self.one(number)]))

    def edit(self, number: int, lots: int, steps: int) -> None:
        size, price = str(lots * GRID.lot_size), self.price(steps)
        self.edits.edit(self.asked(order_id=self.one(number), size=size, price=price))

    def wait(self, seconds: int) -> None:
        clock = self.simulator.clock
        clock.jump(clock.now_ns() + seconds * SECOND_NS)
        self.simulator.exchange.advance()


def fills(account: Account) -> list[tuple[str, Fill]]:
    return [(order.side, fill) for order in account.orders.values() for fill in order.fills]


STYLES = ["market_market_ioc", "market_market_ioc/quote", "sor_limit_ioc", "limit_limit_gtc",
          "limit_limit_gtc/quote", "limit_limit_fok", "stop_limit_stop_limit_gtc",
          "trigger_bracket_gtc"]  # fmt: skip
STEPS = st.integers(-60, 60)
ACTS = st.one_of(
    st.tuples(st.just("place"), st.integers(0, 12), st.sampled_from(STYLES),
              st.sampled_from(["BUY", "SELL"]), st.integers(1, 4_000), STEPS, STEPS),
    st.tuples(st.just("cancel"), st.integers(0, 12)),
    st.tuples(st.just("edit"), st.integers(0, 12), st.integers(1, 4_000), STEPS),
    st.tuples(st.just("wait"), st.integers(0, 120)),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(acts=st.lists(ACTS, max_size=40))
def test_money_is_conserved_and_no_order_goes_back(acts: list[tuple[Any, ...]]) -> None:
    house = House()
    for name, *values in acts:
        getattr(house, name)(*values)

        wallets = house.mine.accounts(house.asked())["accounts"]
        assert all(Decimal(row["available_balance"]["value"]) >= 0 for row in wallets)

    done = [(1 if side == "buy" else -1, fill) for side, fill in fills(house.account)]
    base = sum((sign * fill.quantity for sign, fill in done), Decimal(0))
    quote = sum((sign * fill.price * fill.quantity + fill.fee for sign, fill in done), Decimal(0))
    assert house.account.balances == {"BTC": FUNDS["BTC"] + base, "USD": FUNDS["USD"] - quote}
    names = [ticket.order.client_id for ticket in house.desk.tickets.values()]
    assert len(names) == len(set(names))
    for told in house.history.values():
        amounts = [Decimal(row["cumulative_quantity"]) for row in told]
        assert amounts == sorted(amounts)
        ended = [row["status"] in ENDED for row in told]
        assert ended == sorted(ended)
        assert sum(ended) <= 2  # the last fill, and that it is filled


WORDS = st.one_of(
    st.text(max_size=8),
    st.decimals().map(str),
    st.sampled_from(["1e-30", "1e30", "1e999999", "-1", "0", "0.1", "100.0", "2999-01-01T00:00:00Z",
                     "0001-01-01T00:00:00+23:59", "BUY", "SELL", "BTC-USD", "BTC-", "-", "/"]),
)  # fmt: skip
VALUES = st.one_of(WORDS, st.integers(), st.none(), st.booleans(), st.lists(WORDS, max_size=2))
FIELDS = ("base_size", "quote_size", "limit_price", "stop_price", "stop_trigger_price", "end_time",
          "stop_direction", "post_only")  # fmt: skip
SETTINGS = st.one_of(VALUES, st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES)))
BODIES = st.fixed_dictionaries({}, optional={
    "client_order_id": VALUES,
    "product_id": st.one_of(st.just("BTC-USD"), VALUES),
    "side": st.one_of(st.sampled_from(["BUY", "SELL"]), VALUES),
    "order_configuration": st.one_of(
        VALUES, st.dictionaries(st.sampled_from([*STYLES, "limit_limit_gtd"]), SETTINGS, max_size=2)
    ),
    "order_ids": VALUES, "order_id": VALUES, "size": VALUES, "price": VALUES, "stop_price": VALUES,
})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(bodies=st.lists(BODIES, max_size=6))
def test_any_body_is_answered_or_refused_in_the_venues_shape(bodies: list[dict[str, Any]]) -> None:
    house = House()
    for body in bodies:
        asked = house.asked(**{"client_order_id": "x", **body})
        for method in (house.desk.place, house.desk.preview, house.desk.cancel, house.edits.edit,
                       house.edits.preview, house.desk.close_position):  # fmt: skip
            try:
                told = method(asked)
            except HttpRefusal as error:
                told = error.told
            assert msgspec.json.decode(msgspec.json.encode(told)) == told
        house.wait(1)


QUERIES = st.dictionaries(
    st.sampled_from(["limit", "cursor", "offset", "start", "end", "start_date", "end_date",
                     "granularity", "product_ids", "order_status", "start_sequence_timestamp"]),
    st.lists(st.one_of(WORDS, st.integers().map(str), st.sampled_from(["ONE_DAY", "OPEN", "²"])),
             min_size=1, max_size=2),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(query=QUERIES)
def test_any_query_is_answered_or_refused_in_the_venues_shape(query: dict[str, list[str]]) -> None:
    house = House()
    house.place(1, "market_market_ioc", "SELL", 10, 0, 0)
    market = MarketMethods(house.simulator.exchange)
    asked = Asked(house.account, {"product_id": "BTC-USD"}, query, {})
    for method in (house.mine.orders, house.mine.fills, house.mine.accounts, market.products,
                   market.candles, market.ticker, market.book, market.bests):  # fmt: skip
        try:
            told = method(asked)
        except HttpRefusal as error:
            told = error.told
        assert msgspec.json.decode(msgspec.json.encode(told)) == told


@settings(max_examples=25, deadline=None)
@given(at=st.integers(20, 490), seconds=st.integers(0, 59), minutes=st.sampled_from([1, 5, 60]))
def test_candles_agree_with_the_trades_they_are_made_of(
    at: int, seconds: int, minutes: int
) -> None:
    market = House().simulator.exchange.markets["BTC/USD"]
    now_ns = int(BARS["open_ns"][at % len(BARS)]) + seconds * SECOND_NS
    now_s, step = now_ns // SECOND_NS, minutes * 60

    told = rows(
        market, minutes, first_s=now_s // step * step - 3 * step, last_s=now_s, now_ns=now_ns
    )

    for row in told:
        first = int(row["start"]) // 60
        made = market.candles(first=first, last=first + minutes - 1, now_ns=now_ns)
        assert (made[0].open, made[-1].close) == (Decimal(row["open"]), Decimal(row["close"]))
        assert max(one.high for one in made) == Decimal(row["high"])
        assert min(one.low for one in made) == Decimal(row["low"])
        assert sum((one.volume for one in made), Decimal(0)) == Decimal(row["volume"])
    assert told or seconds == 0 or not market.candles(
        first=now_s // step * minutes - 3 * minutes, last=now_s // 60, now_ns=now_ns)  # fmt: skip
