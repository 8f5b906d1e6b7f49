"""Recorded trades and books, played by the simulator: what its wires tell is what was recorded."""

import csv
import gzip
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.marketdata.samples import shared_file
from trading.exchanges.simulator.market import MINUTE_NS, Grid
from trading.exchanges.simulator.recordings import Recording
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.simulator.server import Simulator
from trading.marketdata.book_files import read_books
from trading.marketdata.lines import UnreadableFile
from trading.marketdata.trade_files import read_trades

GRID = Grid(Decimal("0.1"), Decimal("1e-8"), Decimal("0.0001"), Decimal("0.5"))
SYMBOL, NS = "BTC/USD", 1_000_000_000
TRADES, BARS = (
    "kraken_BTCUSDT_trades_2023-11-17_19.csv.gz",
    "kraken_BTCUSDT_1m_2023-11-17_19.csv.gz",
)
BOOKS = "kraken_L2_BTC_USD_orderbook_2024-11-12.csv.gz"


@pytest.fixture
async def opened() -> AsyncIterator[Any]:
    running: list[Simulator] = []

    async def open_one(recording: Recording, *, begin_ns: int) -> Simulator:
        simulator = Simulator(start_ns=begin_ns)
        simulator.clock.jump(begin_ns)
        simulator.list_pair(SYMBOL, source=recording.bars(), grid=GRID, recorded=recording)
        simulator.add_account(key="k", secret="c2VjcmV0", balances={"USD": Decimal(10**6)})
        await simulator.start()
        running.append(simulator)
        return simulator

    yield open_one
    for simulator in running:
        await simulator.stop()


async def ask(simulator: Simulator, name: str, **params: str) -> Any:
    async with httpx.AsyncClient() as client:
        told = await client.get(f"{simulator.address}/0/public/{name}", params=params)
    (answer,) = (value for key, value in told.json()["result"].items() if key != "last")
    return answer


async def test_recorded_trades_become_the_venues_candles_and_trades(opened: Any) -> None:
    trades = read_trades(shared_file(TRADES))
    with gzip.open(shared_file(BARS), "rt") as file:
        wanted = {int(row["ts"]) // 1000: row for row in csv.DictReader(file)}
    minute = int(trades["time_ns"][3000]) // MINUTE_NS
    simulator = await opened(Recording(GRID, trades), begin_ns=(minute + 1) * MINUTE_NS)

    candles = await ask(simulator, "OHLC", pair="XBTUSD", interval="1")
    told = await ask(simulator, "Trades", pair="XBTUSD", count="20")

    assert len(candles) > 300
    for at, *prices, _, volume, count in candles[:-1]:
        row = wanted[at]
        assert [Decimal(p) for p in prices] == [
            Decimal(row[n]).quantize(Decimal("0.1")) for n in ("open", "high", "low", "close")
        ]
        assert Decimal(volume) == pytest.approx(Decimal(row["volume"]), abs=Decimal("1e-7"))
        assert count > 0
    known = {int(one["id"]): one for one in trades}
    assert len(told) > 0
    for price, _, at, _, _, _, number in told:
        assert float(price) == pytest.approx(known[number]["price"], abs=0.05)
        assert float(at) == pytest.approx(known[number]["time_ns"] / NS, abs=1e-3)


async def test_recorded_books_are_shown_and_met_by_orders(opened: Any) -> None:
    books = read_books(shared_file(BOOKS))
    simulator = await opened(Recording.of_books(GRID, books), begin_ns=books[0].time_ns)
    market = simulator.exchange.markets[SYMBOL]
    account = simulator.exchange.accounts["k"]

    for snapshot in books[::97]:
        simulator.clock.jump(snapshot.time_ns)
        simulator.exchange.advance()
        told = await ask(simulator, "Depth", pair="XBTUSD", count="10")
        for name, levels in (("asks", snapshot.asks), ("bids", snapshot.bids)):
            shown = [(Decimal(price), Decimal(size)) for price, size, _ in told[name]]
            assert shown == [(price, size.quantize(GRID.lot_size)) for price, size in levels]
        bids, asks = market.book(25)
        assert len(bids) == len(asks) == 25
        assert [price for price, _ in asks] == sorted({price for price, _ in asks})

    best, second = asks[0], asks[1]
    quantity = best[1] + min(second[1], GRID.min_quantity) / 2
    wish = Wish(symbol=SYMBOL, side="buy", kind="market", quantity=quantity)
    order = simulator.exchange.place(account, wish)
    assert order is not None
    assert [fill.price for fill in order.fills] == [best[0], second[0]]


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (read_books, "a,b\n1,2\n", "its first line is 'a,b'; accepted is a header timestamp,ap0"),
        (read_books, "timestamp,ap0,av0,bp0,bv0\n", "not one snapshot"),
        (read_books, "timestamp,ap0,av0,bp0,bv0\n2024-01-01T00:00:00Z,1,1,2,1\n",
         "line 2: its levels are not in order"),
        (read_books, "timestamp,ap0,av0,bp0,bv0\n2024-01-01T00:00:00Z,3,-1,2,1\n",
         "line 2: a price or size is not a positive number"),
        (read_books, "timestamp,ap0,av0,bp0,bv0\nlately,3,1,2,1\n", "line 2: timestamp is 'lately'"),
        (read_trades, "hello\nworld\n", "its first line is 'hello'; accepted are trades"),
        (read_trades, "ts,id,price,amount\n1700179206662,1,-3,1\n", "line 2: price is not a positive"),
        (read_trades, "ts,id,price,amount\n", "no line has a time"),
    ],
)  # fmt: skip
def test_files_that_hold_something_else_are_refused(
    read: Any, text: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text)

    with pytest.raises(UnreadableFile, match=words.replace("(", r"\(")):
        read(path)
