"""Books in integers: equal to a plain model, to the venue's checksums, and to the venue's book."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.engine.messages import FeedChange
from trading.exchanges.book_watch import BookWatch
from trading.exchanges.books import BadBook, Book, Books, Level, Side, to_digits
from trading.exchanges.kraken import names
from trading.exchanges.kraken.books import (
    MOST_FAILURES,
    BookFrame,
    Entry,
    KrakenBooks,
    checksum,
    read_book,
    take,
)
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.sockets import Broken
from trading.exchanges.tables import OwnTable
from trading.exchanges.venue_clock import VenueClock

texts = st.decimals(min_value=0, max_value=10**9, places=5, allow_nan=False)
changes = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([0, 0, 1, 7, 10**12])), max_size=12
)


PAIR = names.Pair(
    symbol="BTC/USD",
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


def rows(*levels: tuple[str, str]) -> list[dict[str, str]]:
    return [{"price": price, "qty": quantity} for price, quantity in levels]


def entry(**told: object) -> Entry:
    return msgspec.convert({"symbol": "BTC/USD", **told}, Entry)


def example_b() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    asks = [
        (f"{Decimal('64000.1') + k * Decimal('0.5')}", f"0.{k + 1:02}000000") for k in range(11)
    ]
    sizes = [f"{(Decimal('1.5') / (k + 1)).quantize(Decimal('1e-8'))}" for k in range(11)]
    bids = [(f"{Decimal('63999.9') - k * Decimal('0.5')}", size) for k, size in enumerate(sizes)]
    return rows(*bids), rows(*asks)


@given(value=texts)
def test_a_number_becomes_the_integer_of_its_last_decimal(value: Decimal) -> None:
    assert to_digits(f"{value:f}", 5) == str(int(value * 10**5)).lstrip("0")
    assert to_digits(f"{value:f}", 7) == str(int(value * 10**7)).lstrip("0")
    assert to_digits(int(value), 2) == str(int(value) * 100).lstrip("0")


@pytest.mark.parametrize(
    "text", ["", ".5", "-1.0", "1e-8", "nan", "1.23", "1,5", "\u0661.0", " 1.0", "1.2.3"]
)
def test_what_is_no_such_number_is_refused(text: str) -> None:
    with pytest.raises(BadBook):
        to_digits(text, 1)


@given(messages=st.lists(changes, max_size=12), is_bid=st.booleans(), depth=st.integers(1, 12))
def test_a_side_equals_a_plain_dict_cut_after_every_message(
    messages: list[list[tuple[int, int]]], is_bid: bool, depth: int
) -> None:
    side = Side(is_bid=is_bid, price_decimals=0, quantity_decimals=0, depth=depth)
    model = dict[int, int]()
    for message in messages:
        side.change([Level(str(price), quantity) for price, quantity in message])

        for price, quantity in message:
            model[price] = quantity
        kept = sorted((p for p in model if model[p]), reverse=is_bid)[:depth]
        model = {price: model[price] for price in kept}
        assert side.best(depth + 1) == list(model.items())
        assert side.head() == "".join(f"{p}{q}" for p, q in list(model.items())[:10]).encode()


def test_checksums_are_those_of_the_venues_documents() -> None:
    small = Book(5, 8)
    take(
        small,
        entry(
            asks=rows(("0.00231", "12.50000000"), ("0.00232", "0.00100000"),
                      ("0.00240", "3.00000000")),
            bids=rows(("0.00230", "100.00000000"), ("0.00229", "0.75000001")),
            checksum=3296373660,
        ),
        is_snapshot=True,
    )  # fmt: skip
    bids, asks = example_b()
    large = Book(1, 8, 25)
    take(large, entry(bids=bids, asks=asks, checksum=589265033), is_snapshot=True)

    gone, come = rows(("64000.1", "0.00000000")), rows(("64000.0", "0.20000000"))
    take(large, entry(asks=gone, bids=come, checksum=563522068), is_snapshot=False)

    assert checksum(small) == 3296373660
    assert large.bids.best(1) == [(640000, 20000000)]
    assert large.prices(large.asks, 1) == ((64000.6, 0.02),)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"bids": [], "asks": []}, "the venue's is 1"),
        ({"bids": rows(("x", "1")), "asks": []}, "no number"),
        ({"bids": [{"price": [], "qty": 1}], "asks": []}, "cannot be read"),
        ({"bids": [], "asks": rows(("64000.11", "1"))}, "more than 1 decimals"),
    ],
)
def test_a_spoilt_entry_is_refused_in_words(told: dict[str, object], words: str) -> None:
    bids, asks = example_b()
    book = Book(1, 8, 25)
    take(book, entry(bids=bids, asks=asks, checksum=589265033), is_snapshot=True)

    with pytest.raises(BadBook, match=words):
        take(book, entry(**told, checksum=1), is_snapshot=False)


@pytest.mark.parametrize(
    "spoilt",
    ['{"bids": [], "asks": []}', '{"bids": null, "asks": [], "checksum": 1}', "7"],
)
async def test_a_message_that_cannot_be_read_ends_the_connection(spoilt: str) -> None:
    rest = KrakenRest(url="http://127.0.0.1:1")
    talk = KrakenBooks(rest, Books(["BTC/USD"]), VenueClock(), {"BTC/USD": PAIR})
    await talk.requests()
    whole = f'{{"symbol": "BTC/USD", {spoilt[1:]}' if spoilt[0] == "{" else spoilt
    frame = read_book(f'{{"channel": "book", "type": "update", "data": [{whole}]}}')

    with pytest.raises(Broken, match="cannot be read"):
        talk.hear(frame)
    await rest.close()


@pytest.mark.parametrize(
    ("stamp", "told_ns"),
    [
        ("2026-01-31T12:00:00.123456Z", 1_769_860_800_123_456_000),
        ("yesterday", 0),  # nothing is decided on a book of no known age
        ("", None),  # Kraken's snapshots may have none: the time of the stream
    ],
)
async def test_a_book_is_as_old_as_its_last_message_says(stamp: str, told_ns: int | None) -> None:
    rest, clock = KrakenRest(url="http://127.0.0.1:1"), VenueClock()
    clock.hear(1_769_856_000_000_000_000)
    books = Books(["BTC/USD"])
    talk = KrakenBooks(OwnTable(rest, names.TABLE), books, clock, {"BTC/USD": PAIR})
    await talk.requests()
    bids, asks = example_b()
    whole = Book(1, 8)
    sides = msgspec.convert({"symbol": "BTC/USD", "bids": bids, "asks": asks, "checksum": 0}, Entry)
    whole.bids.replace(sides.bids)
    whole.asks.replace(sides.asks)
    sides.checksum, sides.timestamp = checksum(whole), stamp

    talk.hear(BookFrame("book", "snapshot", [sides]))

    book = books.find("BTC/USD")
    assert book is not None
    if told_ns is None:
        assert 0 <= book.told_ns - 1_769_856_000_000_000_000 < 60 * 10**9
    else:
        assert book.told_ns == told_ns
    assert (clock.now_ns() >= 1_769_860_800_123_456_000) is (told_ns not in (0, None))
    await rest.close()


def test_numbers_are_read_as_text() -> None:
    level = '{"price":64000.10,"qty":0.00000100}'
    text = f'{{"symbol":"BTC/USD","bids":[{level}],"asks":[],"checksum":1}}'
    frame = read_book(f'{{"channel":"book","type":"update","data":[{text}]}}')

    assert isinstance(frame, BookFrame)
    assert frame.data[0].bids[0].price == "64000.10"
    assert frame.data[0].bids[0].quantity == "0.00000100"


def test_a_book_that_crosses_is_none() -> None:
    crossed = Book(1, 1)
    crossed.bids.change([Level("1.1", 1)])
    crossed.asks.change([Level("1.1", 1)])

    with pytest.raises(BadBook, match="bid 11 is not below ask 11"):
        crossed.check()


@pytest.fixture
async def two_books() -> AsyncIterator[tuple[KrakenBooks, BookWatch]]:
    """Of two pairs, and of one that the venue does not list."""
    rest, time = KrakenRest(url="http://127.0.0.1:1"), VenueClock()
    books = Books(["BTC/USD", "ETH/USD", "OLD/USD"])
    pairs = {one: replace(PAIR, symbol=one) for one in ("BTC/USD", "ETH/USD")}
    talk = KrakenBooks(OwnTable(rest, names.TABLE), books, time, pairs)
    (asked,) = await talk.requests()
    assert asked["params"]["symbol"] == ["BTC/USD", "ETH/USD"]
    yield talk, BookWatch("Kraken", "ws://127.0.0.1:1", books, lambda: talk, time)
    await rest.close()


def told(symbol: str, **sides: list[dict[str, str]]) -> Entry:
    one = msgspec.convert({"symbol": symbol, "bids": [], "asks": [], "checksum": 0} | sides, Entry)
    book = Book(1, 8)
    book.bids.replace(one.bids)
    book.asks.replace(one.asks)
    one.checksum = checksum(book)
    return one


@pytest.mark.parametrize("lacks", [("bids",), ("asks",), ("bids", "asks")])
async def test_a_market_without_a_side_has_no_book_and_takes_no_other_away(
    two_books: tuple[KrakenBooks, BookWatch], lacks: tuple[str, ...]
) -> None:
    talk, watch = two_books
    sides = dict(zip(("bids", "asks"), example_b(), strict=True))
    left = {name: side for name, side in sides.items() if name not in lacks}
    whole, halted = told("BTC/USD", **sides), told("ETH/USD", **left)
    back = told("ETH/USD", **{name: sides[name] for name in lacks})
    back.checksum = whole.checksum
    if len(lacks) == 2:
        halted.checksum = 1  # of nothing the venue documents none
    heard: list[FeedChange] = []

    for _ in range(MOST_FAILURES + 1):
        talk.hear(BookFrame("book", "snapshot", [whole, halted]))
        watch._note(heard.append)
    blind, seen = watch.seen(1), watch.seen(0)
    assert talk.hear(BookFrame("book", "update", [back])) is not None
    watch._note(heard.append)

    assert seen is not None
    assert blind is None
    assert watch.seen(1) is not None
    of_it = [one for one in heard if one.channel == "book:ETH/USD"]
    assert [one.is_up for one in of_it] == [False, True]
    assert all(f"no {name[:3]}" in of_it[0].reason for name in lacks)
    others = {one.channel: one.is_up for one in heard if one not in of_it}
    assert others == {"book": True, "book:BTC/USD": True, "book:OLD/USD": False}


async def test_a_pair_whose_book_is_refused_is_left_out_and_the_others_go_on(
    two_books: tuple[KrakenBooks, BookWatch],
) -> None:
    talk, watch = two_books
    sides = dict(zip(("bids", "asks"), example_b(), strict=True))
    refused = {"method": "subscribe", "success": False}

    talk.hear({**refused, "error": "Currency pair not supported ETH/USD"})
    talk.hear(BookFrame("book", "snapshot", [told("BTC/USD", **sides)]))

    assert watch.books.is_whole
    assert watch.seen(0) is not None
    with pytest.raises(Broken, match="Exceeded msg rate"):
        talk.hear({**refused, "error": "Exceeded msg rate"})
