"""Ours, as a connection does it: frame decoded, book brought up to it, checksum verified."""

import asyncio
from decimal import Decimal

from frame_clock import Levels, read_lines, tell

from trading.exchanges.books import Books
from trading.exchanges.kraken.books import KrakenBooks, read_book
from trading.exchanges.kraken.names import TABLE, Pair
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.sockets import Ask
from trading.exchanges.tables import OwnTable
from trading.exchanges.venue_clock import VenueClock

SYMBOL, SHOWN = "BTC/USD", 25
PAIR = Pair(
    symbol=SYMBOL,
    key="XXBTZUSD",
    altname="XBTUSD",
    base="BTC",
    quote="USD",
    price_decimals=1,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("1e-8"),
    min_quantity=Decimal("0.0001"),
    min_notional=Decimal(5),
    status="online",
)


async def main() -> None:
    """Hear all frames on one connection that is not there."""
    books = Books([SYMBOL])
    rest = KrakenRest(url="http://127.0.0.1:1")
    connection = KrakenBooks(OwnTable(rest, TABLE), books, VenueClock(), {SYMBOL: PAIR})
    await connection.requests()

    def hear(line: str) -> None:
        frame = read_book(line)
        if frame is None or isinstance(connection.hear(frame), Ask):
            raise SystemExit(f"a book was spoilt: {books.reason}")

    def best() -> Levels:
        book = books.find(SYMBOL)
        assert book is not None
        return [*book.prices(book.bids, SHOWN), *book.prices(book.asks, SHOWN)]

    tell(read_lines(), hear, best)
    await rest.close()


if __name__ == "__main__":
    asyncio.run(main())
