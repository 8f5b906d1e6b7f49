"""Order books of Kraken's wire beside ccxt.pro's: the same frames, in turns, in one run.

Ours takes each frame's text to a book whose CRC-32 was checked and whose time is known; ccxt.pro does not
check by default and is measured so, and checking. Frames are invented: a walk of the price at depth 25.
Prints medians and ratios; asserts nothing about time.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt.pro
from machine import describe

from trading.exchanges.books import Book, Books
from trading.exchanges.kraken.books import DEPTH, KrakenBooks, checksum
from trading.exchanges.kraken.names import Pair
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.sockets import read_frame
from trading.exchanges.venue_clock import VenueClock

SYMBOL = "BTC/USD"
PRICE_DECIMALS, QUANTITY_DECIMALS = 1, 8
BEGIN, SIZES = 640_000, (1, 10**9)


def frames(count: int, seed: int) -> list[str]:
    """A snapshot and its changes, as the venue writes them."""
    rng, book = random.Random(seed), Book(PRICE_DECIMALS, QUANTITY_DECIMALS, DEPTH)
    asks = [(BEGIN + 1 + k, rng.randint(*SIZES)) for k in range(DEPTH)]
    bids = [(BEGIN - 1 - k, rng.randint(*SIZES)) for k in range(DEPTH)]
    told = [_frame(book, "snapshot", bids, asks)]
    for _ in range(count - 1):
        bids, asks = _change(book, rng)
        told.append(_frame(book, "update", bids, asks))
    return told


def _change(book: Book, rng: random.Random) -> tuple[list[Any], list[Any]]:
    """One level of one side becomes another; now and then one goes and another comes."""
    is_bid = rng.random() < 0.5
    levels = (book.bids if is_bid else book.asks).best(DEPTH)
    step = -1 if is_bid else 1
    price, _ = rng.choice(levels)
    changed = [(price, rng.randint(*SIZES))]
    if rng.random() < 0.3:
        changed = [(price, 0), (levels[-1][0] + step * rng.randint(1, 3), rng.randint(*SIZES))]
    return (changed, []) if is_bid else ([], changed)


def _frame(book: Book, kind: str, bids: list[Any], asks: list[Any]) -> str:
    book.bids.change(bids)
    book.asks.change(asks)
    row = ",".join(
        f'"{name}":[{",".join(map(_level, levels))}]'
        for name, levels in (("bids", bids), ("asks", asks))
    )
    stamp = '"timestamp":"2026-01-01T00:00:00.000000Z"'
    data = f'{{"symbol":"{SYMBOL}",{row},"checksum":{checksum(book)},{stamp}}}'
    return f'{{"channel":"book","type":"{kind}","data":[{data}]}}'


def _level(level: tuple[int, int]) -> str:
    price = Decimal(level[0]).scaleb(-PRICE_DECIMALS)
    quantity = Decimal(level[1]).scaleb(-QUANTITY_DECIMALS)
    return f'{{"price":{price:.{PRICE_DECIMALS}f},"qty":{quantity:.{QUANTITY_DECIMALS}f}}}'


async def ours(texts: list[str]) -> tuple[float, Any]:
    """(seconds, best bid); every checksum was right, or the book would not be there."""
    tick, lot = (Decimal(1).scaleb(-n) for n in (PRICE_DECIMALS, QUANTITY_DECIMALS))
    pair = Pair(SYMBOL, "XXBTZUSD", "XBTUSD", "BTC", "USD", PRICE_DECIMALS, tick, lot, lot, lot, "")
    books, rest = Books([SYMBOL]), KrakenRest(url="http://127.0.0.1:9")
    talk = KrakenBooks(rest, books, VenueClock(), {SYMBOL: pair})
    await talk.requests()
    began = time.perf_counter()
    for text in texts:
        frame = read_frame(text)
        assert frame is not None
        talk.hear(frame)
    seconds = time.perf_counter() - began
    await rest.close()
    book = books.find(SYMBOL)
    assert book is not None, books.reason
    return seconds, book.prices(book.bids, 1)[0]


def peer(*, checked: bool) -> Callable[[list[str]], Any]:
    """ccxt.pro, with or without its checksum."""

    async def measure(texts: list[str]) -> tuple[float, Any]:
        exchange = ccxt.pro.kraken({"options": {"watchOrderBook": {"checksum": checked}}})
        exchange.markets = {SYMBOL: {
            "symbol": SYMBOL, "precision": {"price": 0.1, "amount": 1e-8}, "info": {}, "id": SYMBOL,
        }}  # fmt: skip
        client = exchange.client("ws://127.0.0.1:9")
        began = time.perf_counter()
        for text in texts:
            exchange.handle_order_book(client, json.loads(text))
        seconds = time.perf_counter() - began
        best = exchange.orderbooks[SYMBOL]["bids"][0]
        await exchange.close()
        return seconds, tuple(best[:2])

    return measure


async def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    texts = frames(options.messages, seed=1)
    programs = {
        "ours, checked": ours,
        "ccxt.pro": peer(checked=False),
        "ccxt.pro, checked": peer(checked=True),
    }
    rates: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(options.repetitions):
        ends = set()
        for name, measure in programs.items():
            seconds, best = await measure(texts)
            rates[name].append(len(texts) / seconds)
            ends.add(best)
        assert len(ends) == 1, f"the books differ in the end: {ends}"
    print(describe())
    mine = statistics.median(rates["ours, checked"])
    for name, each in rates.items():
        middle = statistics.median(each)
        share = 20_000 / middle
        print(
            f"{name:18} {middle:9,.0f} msg/s  ours {mine / middle:5.2f} x  20k msg/s: {share:.0%}"
        )


if __name__ == "__main__":
    asyncio.run(main())
