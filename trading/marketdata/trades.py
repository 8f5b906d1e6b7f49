"""Files of single trades: layouts, and blocks of their lines into arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from trading.marketdata.formats import NUMBER, UNIT_NS, UnknownLayout, iso_ns, split, time_unit
from trading.marketdata.lines import Block
from trading.marketdata.parsing import INT64_MAX, LineError, read_fields, read_lines

TRADE = np.dtype([("time_ns", "i8"), ("id", "i8"), ("price", "f8"), ("amount", "f8")])
NO_ID = -1
FORMATS = ("trades", "kraken-trades")
NAMES = {
    "time": ("ts", "timestamp", "time", "date", "datetime"),
    "id": ("id", "trade_id", "tid"),
    "price": ("price",),
    "amount": ("amount", "volume", "qty", "quantity", "size"),
}
TIME_TYPE = pa.decimal128(28, 9)  # whole numbers and fractions of seconds alike, to the nanosecond


@dataclass(frozen=True, slots=True)
class TradeLayout:
    """Where a file of trades keeps what; ``id`` is None where it has none that can be compared."""

    name: str
    delimiter: str
    columns: int
    time: int
    price: int
    amount: int
    id: int | None
    time_unit: str
    header: bool

    def describe(self) -> str:
        """One line for the import report."""
        return (
            f"{self.name}, {self.columns} columns, time in {self.time_unit}; bars are built of them"
        )


@dataclass(slots=True)
class ParsedTrades:
    """Trades of a block with their line numbers, and the lines that could not be read."""

    trades: np.ndarray
    lines: np.ndarray
    errors: list[LineError]


def detect_trades(lines: Sequence[str], *, name: str | None) -> TradeLayout | None:
    """The layout of a file of trades; None: these are no trades.

    Raises:
        UnknownLayout: trades were asked for and these are none, or their times cannot be read.
    """
    rows = [line for line in lines if line.strip()]
    if not rows or "{" in rows[0]:
        return None
    delimiter = max(",;\t", key=rows[0].count)
    first = split(rows[0], delimiter)
    headed = not (NUMBER.fullmatch(first[0]) or iso_ns(first[0]) is not None)
    found = _columns([field.lower() for field in first]) if headed else {}
    kind = "trades" if headed else "kraken-trades"
    fits = {"time", "price", "amount"} <= found.keys() if headed else len(first) == 3
    if name in FORMATS and not (fits and kind == name):
        raise UnknownLayout(
            f"format {name} was asked for, the first line is {rows[0].strip()!r}; accepted are "
            "trades with a header (ts, price, amount) and kraken-trades (time,price,volume) without"
        )
    if not fits:
        return None
    found = found if headed else {"time": 0, "price": 1, "amount": 2}
    body = [split(row, delimiter) for row in rows[headed:]]
    body = [row for row in body if len(row) == len(first)]
    unit = time_unit([row[found["time"]] for row in body])
    if unit == "ms of day":
        raise UnknownLayout("the times are smaller than any date: seconds since 1970 expected")
    number = found.pop("id", None)
    if number is not None and not all(row[number].isdecimal() for row in body):
        number = None
    return TradeLayout(
        kind, delimiter, len(first), **found, id=number, time_unit=unit, header=headed
    )


def _columns(names: list[str]) -> dict[str, int]:
    if "open" in names or "price" not in names:
        return {}
    found = {}
    for field, aliases in NAMES.items():
        if alias := next((alias for alias in aliases if alias in names), None):
            found[field] = names.index(alias)
    return found


def parse_trades(block: Block, layout: TradeLayout) -> ParsedTrades:
    """Read a block; the slow way gives the same values and names every line it cannot read."""
    data, first_line = block.data, block.first_line
    if layout.header and first_line == 1:
        data, first_line = data[data.index(b"\n") + 1 :], 2
    if not data:
        return ParsedTrades(np.empty(0, TRADE), np.empty(0, np.int64), [])
    trades = _parse_fast(data, layout)
    if trades is None:
        return _parse_slowly(data, first_line, layout)
    return ParsedTrades(trades, np.arange(first_line, first_line + len(trades)), [])


def _parse_fast(data: bytes, layout: TradeLayout) -> np.ndarray | None:
    """All lines at once; None where a line needs the slow way's closer look."""
    if layout.time_unit == "iso":
        return None
    table = _read_table(data, layout)
    if table is None:
        return None
    times = _nanoseconds(table.column(str(layout.time)), layout.time_unit)
    if times is None:
        return None
    trades = np.empty(table.num_rows, TRADE)
    trades["time_ns"] = times
    trades["price"] = table.column(str(layout.price))
    trades["amount"] = table.column(str(layout.amount))
    trades["id"] = NO_ID if layout.id is None else table.column(str(layout.id)).to_numpy()
    return trades


def _read_table(data: bytes, layout: TradeLayout) -> pa.Table | None:
    types = {layout.time: TIME_TYPE, layout.price: pa.float64(), layout.amount: pa.float64()}
    if layout.id is not None:
        types[layout.id] = pa.int64()
    try:
        table = pc.read_csv(
            pa.BufferReader(data),
            read_options=pc.ReadOptions(
                column_names=[str(number) for number in range(layout.columns)],
                use_threads=False,
                block_size=len(data) + 1,
            ),
            parse_options=pc.ParseOptions(delimiter=layout.delimiter, ignore_empty_lines=False),
            convert_options=pc.ConvertOptions(
                column_types={str(number): kind for number, kind in types.items()},
                include_columns=[str(number) for number in types],
                null_values=[],
            ),
        )
    except pa.ArrowException:
        return None
    return table if table.num_rows == data.count(b"\n") else None


def _nanoseconds(column: pa.ChunkedArray, unit: str) -> np.ndarray | None:
    """Decimals with nine places are 128 bit numbers of billionths; the low half holds all dates."""
    numbers = column.combine_chunks()
    if unit != "s":  # billionths of a ms and less would overflow: whole numbers only
        try:
            whole = numbers.cast(pa.int64()).to_numpy()
        except pa.ArrowException:
            return None
        fits = whole.min() >= 0 and whole.max() <= INT64_MAX // UNIT_NS[unit]
        return whole * UNIT_NS[unit] if fits else None
    halves = np.frombuffer(numbers.buffers()[1], np.int64)
    low = halves[::2][numbers.offset : numbers.offset + len(numbers)]
    high = halves[1::2][numbers.offset : numbers.offset + len(numbers)]
    return low if (high == 0).all() and low.min() >= 0 else None


def _parse_slowly(data: bytes, first_line: int, layout: TradeLayout) -> ParsedTrades:
    rows, lines, errors = read_lines(data, first_line, lambda text: _parse_line(text, layout))
    return ParsedTrades(np.array(rows, TRADE), lines, errors)


def _parse_line(text: str, layout: TradeLayout) -> tuple[int, int, float, float]:
    """One line's trade.

    Raises:
        ValueError: it cannot be read; the text says which field and why.
    """
    fields = read_fields(text, layout.delimiter, layout.columns)
    for name, column in (("price", layout.price), ("amount", layout.amount)):
        if not NUMBER.fullmatch(fields[column]):
            raise ValueError(f"{name} is not a number: {fields[column]!r}")
    number = NO_ID
    if layout.id is not None:
        if not fields[layout.id].isdecimal() or len(fields[layout.id]) > 18:
            raise ValueError(f"id is not a whole number: {fields[layout.id]!r}")
        number = int(fields[layout.id])
    time_ns = _time(fields[layout.time], layout.time_unit)
    return time_ns, number, float(fields[layout.price]), float(fields[layout.amount])


def _time(text: str, unit: str) -> int:
    if unit == "iso":
        found = iso_ns(text)
        if found is None:
            raise ValueError(f"time is not an ISO date and time: {text!r}")
        return found
    whole, _, fraction = text.partition(".")
    if not (whole.isdecimal() and whole.isascii() and (not fraction or fraction.isdecimal())):
        raise ValueError(f"time is not a number of {unit}: {text!r}")
    digits = fraction.rstrip("0")[:9]
    time_ns = int(whole) * UNIT_NS[unit] + int(digits or 0) * UNIT_NS[unit] // 10 ** len(digits)
    if len(whole) > 19 or time_ns > INT64_MAX:
        raise ValueError(f"time is out of range: {text!r}")
    return time_ns
