"""Kraken charges a purchase in what was bought, or in a third asset: less is held, and only that is sold."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.engine.fakes import spec
from tests.exchanges.bench import seat
from tests.exchanges.street import (
    KEY,
    LiveStreet,
    books_of,
    differences,
    open_simulator,
    oracle,
)
from tests.exchanges.test_slivers import Slivers
from tests.exchanges.test_watch import entry
from trading.chaos.checker import compare
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import KRAKEN, KRAKEN_SOCKET, Wire
from trading.core.codes import Side
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken.orders import ws_execution
from trading.exchanges.simulator.accounts import BASE
from trading.exchanges.simulator.server import Simulator

BARS = stormy_bars(5, 140)[:70]
ONLY_MONEY = {"USD": Decimal(10_000), "BTC": Decimal(0)}
LOT = spec().lot_size
WIRES = pytest.mark.parametrize("wire", [KRAKEN, KRAKEN_SOCKET], ids=lambda wire: wire.name)


async def play(wire: Wire, fee_in: str, *, slivers: int = 0) -> tuple[Simulator, LiveStreet]:
    simulator = await open_simulator(BARS, wire=wire, funds=ONLY_MONEY)
    simulator.exchange.accounts[KEY].fee_in = fee_in
    if slivers:
        ((symbol, market),) = simulator.exchange.markets.items()
        thin = Slivers(symbol, market.source, market.grid)
        thin.lots = slivers
        simulator.exchange.markets[symbol] = thin
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, wire)
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()
    return simulator, street


def check_cash(simulator: Simulator, street: LiveStreet) -> None:
    """The core's cash is the account's, to the last cent."""
    assert street.core is not None
    theirs = simulator.exchange.accounts[KEY].balances["USD"]
    assert abs(Decimal(float(street.core.account[0]["cash"])) - theirs) < Decimal("0.000001")


@WIRES
@pytest.mark.parametrize("slivers", [0, 3])
async def test_what_a_fee_took_of_a_purchase_is_neither_protected_nor_sold(
    wire: Wire, slivers: int
) -> None:
    simulator, street = await play(wire, BASE, slivers=slivers)

    bought = [one for one in oracle(simulator, "fill") if one["side"] == "buy"]
    assert bought
    assert {one["fee_asset"] for one in bought} == {"BTC"}
    assert {fill["side"] for fill in oracle(simulator, "fill")} == {"buy", "sell"}
    orders = len({one["order_id"] for one in bought})
    found = compare(
        street.wire.as_told(simulator.exchange.oracle),
        replace(books_of(street), rounding=LOT * orders),
    )
    assert not found, found
    refused = [reason for reason in street.ledger.reasons if "Insufficient" in reason]
    assert not refused, "more was asked for than is held"
    check_cash(simulator, street)


@WIRES
async def test_a_fee_in_a_third_asset_costs_neither_cash_nor_coins(wire: Wire) -> None:
    simulator, street = await play(wire, "KFEE")

    assert differences(simulator, street) == []
    account = simulator.exchange.accounts[KEY]
    paid = [Decimal(fill.fee) for fill in street.ledger.fills if fill.fee_currency == "KFEE"]
    assert paid
    assert account.balances["KFEE"] == -sum(paid)
    check_cash(simulator, street)


async def test_the_books_and_the_core_take_what_is_held() -> None:
    async with seat(KRAKEN) as bench:
        bench.account.fee_in = BASE
        await bench.listen()
        await bench.bought(400)

    (report,) = bench.fills
    assert (report.quantity_lots, report.taken_lots, report.held_lots) == (400, 2, 398)
    worth = report.price_ticks * spec().tick_size * 2 * LOT
    assert report.fee_units == worth * 10**8
    assert (Decimal(report.fee), report.fee_currency) == (Decimal("0.00010400"), "BTC")


def told(number: int, lots: int, fee: Decimal) -> dict[str, Any]:
    return {
        "exec_id": f"T{number}", "last_qty": str(lots * LOT), "last_price": "10000.0",
        "fees": [{"asset": "BTC", "qty": f"{fee:f}"}], "timestamp": "2026-01-01T00:00:00.000000Z",
    }  # fmt: skip


@given(
    fills=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 300)), min_size=1),
    side=st.sampled_from([Side.BUY, Side.SELL]),
)
@example(
    fills=[(1, 1), (2, 0)], side=Side.BUY
)  # what one lot cannot give, a fill without a fee does
def test_fees_take_whole_lots_of_all_fills_together_and_never_all_of_one(
    fills: list[tuple[int, int]], side: Side
) -> None:
    known = KnownOrders()
    order = known.name(entry(sum(lots for lots, _ in fills), side=side), "O")
    owed = Decimal(0)  # in lots
    for number, (lots, bps) in enumerate(fills):
        before, fee = order.taken_lots, Decimal(lots * bps) / 10_000
        owed += fee
        execution = ws_execution(told(number, lots, fee * LOT), spec())

        report = known.fill(order, execution)

        assert report is not None
        assert order.taken_lots - before == report.taken_lots
        assert 0 <= report.taken_lots < lots
        assert report.quantity_lots == lots
        assert order.taken_lots < owed + 1
        if side is Side.SELL:
            assert report.taken_lots == 0
        else:
            assert order.taken_lots >= owed or report.taken_lots == lots - 1
