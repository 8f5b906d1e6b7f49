"""Books in integers: equal to a plain model, to the venue's checksums, and to the venue's book."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.exchanges.books import BadBook, Book, Side, to_units
from trading.exchanges.kraken.books import checksum, take

texts = st.decimals(min_value=0, max_value=10**9, places=5, allow_nan=False)
changes = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([0, 0, 1, 7, 10**12])), max_size=12
)


def rows(*levels: tuple[str, str]) -> list[dict[str, str]]:
    return [{"price": price, "qty": quantity} for price, quantity in levels]


def example_b() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    asks = [
        (f"{Decimal('64000.1') + k * Decimal('0.5')}", f"0.{k + 1:02}000000") for k in range(11)
    ]
    sizes = [f"{(Decimal('1.5') / (k + 1)).quantize(Decimal('1e-8'))}" for k in range(11)]
    bids = [(f"{Decimal('63999.9') - k * Decimal('0.5')}", size) for k, size in enumerate(sizes)]
    return rows(*bids), rows(*asks)


@given(value=texts)
def test_a_number_becomes_the_integer_of_its_last_decimal(value: Decimal) -> None:
    assert to_units(f"{value:f}", 5) == int(value * 10**5)
    assert to_units(f"{value:f}", 7) == int(value * 10**7)


@pytest.mark.parametrize(
    "text", ["", ".5", "-1.0", "1e-8", "nan", "1.23", "1,5", "\u0661.0", " 1.0"]
)
def test_what_is_no_such_number_is_refused(text: str) -> None:
    with pytest.raises(BadBook):
        to_units(text, 1)


@given(messages=st.lists(changes, max_size=12), is_bid=st.booleans(), depth=st.integers(1, 12))
def test_a_side_equals_a_plain_dict_cut_after_every_message(
    messages: list[list[tuple[int, int]]], is_bid: bool, depth: int
) -> None:
    side, model = Side(is_bid=is_bid, depth=depth), dict[int, int]()
    for message in messages:
        side.change(message)

        for price, quantity in message:
            model[price] = quantity
        kept = sorted((p for p in model if model[p]), reverse=is_bid)[:depth]
        model = {price: model[price] for price in kept}
        assert side.best(depth + 1) == list(model.items())


def test_checksums_are_those_of_the_venues_documents() -> None:
    small = Book(5, 8)
    take(
        small,
        {
            "asks": rows(("0.00231", "12.50000000"), ("0.00232", "0.00100000"),
                         ("0.00240", "3.00000000")),
            "bids": rows(("0.00230", "100.00000000"), ("0.00229", "0.75000001")),
            "checksum": 3296373660,
        },
        is_snapshot=True,
    )  # fmt: skip
    bids, asks = example_b()
    large = Book(1, 8, 25)
    take(large, {"bids": bids, "asks": asks, "checksum": 589265033}, is_snapshot=True)

    gone, come = rows(("64000.1", "0.00000000")), rows(("64000.0", "0.20000000"))
    take(large, {"asks": gone, "bids": come, "checksum": 563522068}, is_snapshot=False)

    assert checksum(small) == 3296373660
    assert large.bids.best(1) == [(640000, 20000000)]
    assert large.prices(large.asks, 1) == ((64000.6, 0.02),)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"bids": [], "asks": [], "checksum": 1}, "the venue's is 1"),
        ({"bids": [], "asks": []}, "cannot be read: KeyError"),
        ({"bids": rows(("x", "1")), "asks": [], "checksum": 1}, "no number"),
        ({"bids": None, "asks": [], "checksum": 1}, "cannot be read"),
        ({"bids": [], "asks": rows(("64000.11", "1")), "checksum": 1}, "more than 1 decimals"),
    ],
)
def test_a_spoilt_entry_is_refused_in_words(row: dict[str, object], words: str) -> None:
    bids, asks = example_b()
    book = Book(1, 8, 25)
    take(book, {"bids": bids, "asks": asks, "checksum": 589265033}, is_snapshot=True)

    with pytest.raises(BadBook, match=words):
        take(book, row, is_snapshot=False)


def test_a_book_that_crosses_or_lacks_a_side_is_none() -> None:
    crossed, empty = Book(1, 1), Book(1, 1)
    crossed.bids.change([(11, 1)])
    crossed.asks.change([(11, 1)])

    with pytest.raises(BadBook, match="bid 11 is not below ask 11"):
        crossed.check()
    with pytest.raises(BadBook, match="a side is empty"):
        empty.check()
