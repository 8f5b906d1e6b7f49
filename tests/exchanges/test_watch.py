"""Looks at an account over the wire, and a day on which what they find does not fit."""

import asyncio
from decimal import Decimal

import pytest

from tests.engine.fakes import spec
from tests.exchanges.street import (
    FUNDS,
    KEY,
    SECRET,
    LiveStreet,
    SimulatedTime,
    open_simulator,
    oracle,
)
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import uncounted
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.errors import NotSent, Refused
from trading.engine.messages import OrderRequest
from trading.engine.sights import Holding, Stranger
from trading.engine.watch import Rhythm
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.simulator.server import Simulator

BARS = stormy_bars(5, 60)


def place(simulator: Simulator, side: str, quantity: str, price: str) -> None:
    """An order of the customer's own."""
    wish = Wish("BTC/USD", side, "limit", Decimal(quantity), Decimal(price), "mine")
    simulator.exchange.place(simulator.exchange.accounts[KEY], wish)


async def opened(simulator: Simulator, *, ahead: float = 0.0) -> KrakenDesk:
    rest = KrakenRest(url=simulator.address, key=KEY, secret=SECRET, calls=uncounted())
    desk = KrakenDesk(
        rest=rest,
        specs=[spec()],
        clock=SimulatedTime(simulator),
        wall_ns=lambda: simulator.clock.now_ns() + int(ahead * 1e9),
    )
    await desk.open()
    return desk


async def test_a_look_counts_what_orders_keep_and_names_orders_of_others() -> None:
    simulator = await open_simulator(BARS)
    place(simulator, "sell", "0.5", "99999.9")
    desk = await opened(simulator)

    sight = await desk.look()

    assert sight.holdings["BTC"] == Holding(Decimal(3), Decimal("2.5"))
    assert sight.holdings["USD"] == Holding(Decimal(10_000), Decimal(10_000))
    (order,) = simulator.exchange.accounts[KEY].orders.values()
    assert sight.strangers == (Stranger(order.order_id, "BTC/USD", "SELL", Decimal("0.5")),)
    await desk.rest.close()
    await simulator.stop()


async def test_what_is_staked_or_earns_is_not_there_to_trade_with() -> None:
    simulator = await open_simulator(BARS)
    desk = await opened(simulator)
    balances = simulator.exchange.accounts[KEY].balances
    balances |= {f"BTC.{end}": Decimal(7) for end in "SMFBT"}

    assert (await desk.look()).holdings["BTC"].total == FUNDS["BTC"]
    await desk.rest.close()
    await simulator.stop()


@pytest.mark.parametrize("ahead", [-300.0, -4.0, 0.0, 4.0, 300.0])
async def test_the_clock_is_told_apart_from_the_venues_within_a_second(ahead: float) -> None:
    simulator = await open_simulator(BARS)
    desk = await opened(simulator, ahead=ahead)

    told = (await desk.look()).ahead_seconds

    assert abs(told) <= abs(ahead)
    assert abs(told - ahead) < 1.5
    await desk.rest.close()
    await simulator.stop()


def entry(
    lots: int,
    *,
    side: Side = Side.BUY,
    purpose: Purpose = Purpose.ENTRY,
    price_ticks: int = 0,
) -> OrderRequest:
    return OrderRequest(
        market=0, seq=lots, client_order_id=f"c{lots}", at_ns=1, purpose=purpose, side=side,
        quantity_lots=lots, price_ticks=price_ticks, expires_ns=0, replaces_seq=0, reason=ExitReason.NONE,
        deadline_ns=2**62,
    )  # fmt: skip


async def test_an_entry_beyond_what_is_free_is_refused_beside_the_signer() -> None:
    simulator = await open_simulator(BARS)
    desk = await opened(simulator)
    purse, last = desk.purse, Decimal(10_000)  # a lot costs 1.00
    place(simulator, "buy", "0.5", "10000")  # keeps some 5,000

    await purse.spend(entry(3000), spec(), last=last)
    simulator.exchange.accounts[KEY].balances["USD"] = Decimal(7000)
    with pytest.raises(Refused, match=r"notional: 3000.00 USD where the account has \d+.\d\d free"):
        await purse.spend(entry(3000), spec(), last=last)
    await purse.spend(entry(10**6, purpose=Purpose.EXIT, side=Side.SELL), spec(), last=last)
    with pytest.raises(Refused, match="BTC of the account is not ours to sell"):
        await purse.spend(entry(1, side=Side.SELL), spec(), last=last)
    await desk.rest.close()
    await simulator.stop()


async def test_an_entry_waits_where_nobody_says_what_there_is() -> None:
    simulator = await open_simulator(BARS)
    desk = await opened(simulator)
    words = "EGeneral:Permission denied"
    simulator.exchange.faults.arm(Fault("error", "BalanceEx", times=9, words=words))

    with pytest.raises(NotSent, match="nobody says what the account has"):
        await desk.purse.spend(entry(1), spec(), last=Decimal(10_000))
    await desk.rest.close()
    await simulator.stop()


async def test_missing_cash_is_held_over_the_wire_and_lifted_when_it_is_back() -> None:
    simulator = await open_simulator(BARS)
    street = LiveStreet(
        simulator, eager_params(with_limits=False), BARS, rhythm=Rhythm(look=0.05, confirm=0.02)
    )
    held: set[int] = set()

    def happen(number: int) -> None:
        balances = simulator.exchange.accounts[KEY].balances
        balances["USD"] += {1: Decimal(-5000), 45: Decimal(5000)}.get(number, Decimal(0))
        if ("BREAKER", "drift:USD") in street.ledger.holds:
            held.add(number)

    street.before_bar = happen
    try:
        await asyncio.wait_for(street.run(), 300)
    finally:
        await simulator.stop()

    assert held
    assert street.ledger.holds == set()
    (words,) = {told["words"] for key, told in street.sink.latest.items() if "alert" in key}
    assert words == "USD: our books need 10000, the account has 5000"


async def test_a_purchase_that_the_venue_takes_back_holds_entries_until_it_is_put_right() -> None:
    bars = stormy_bars(5, 140)[:90]
    funds = {"USD": Decimal(10_000), "BTC": Decimal(0)}
    simulator = await open_simulator(bars, funds=funds)
    street = LiveStreet(
        simulator, eager_params(with_limits=False), bars, rhythm=Rhythm(look=0.05, confirm=0.02)
    )
    account = simulator.exchange.accounts[KEY]
    reversed_at, entered = list[int](), dict[int, int]()

    def happen(number: int) -> None:
        entered[number] = sum(one["side"] == "buy" for one in oracle(simulator, "order"))
        if not reversed_at and account.balances["BTC"]:
            reversed_at.append(number)
            (fill,) = oracle(simulator, "fill")
            quantity, price = Decimal(fill["quantity"]), Decimal(fill["price"])
            account.balances["BTC"] -= quantity
            account.balances["USD"] += quantity * price

    street.before_bar = happen
    try:
        await asyncio.wait_for(street.run(), 300)
    finally:
        await simulator.stop()

    assert ("BREAKER", "drift:BTC") in street.ledger.holds
    (at,) = reversed_at
    assert entered[len(bars) - 1] == entered[at], "it bought on top of what it does not have"
    (words,) = {told["words"] for key, told in street.sink.latest.items() if "alert" in key}
    assert "BTC: our books need" in words
    assert "the account has 0" in words
