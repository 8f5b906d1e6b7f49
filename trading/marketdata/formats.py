"""CSV layouts of bars (plain header, Kraken archive, Binance, Coinbase day files) and their detection."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from trading.marketdata.lines import UnreadableFile

NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
ALIASES = {
    "time": ("ts", "timestamp", "unix", "time", "open_time", "opentime", "date", "datetime", "t"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}
UNIT_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1, "ms of day": 1_000_000}
DAY_NS = 86_400_000_000_000


class NotBars(UnreadableFile):
    """The file is readable, but it holds something else than bars."""


class UnknownLayout(UnreadableFile):
    """No layout fits; the text says what was seen and what is accepted."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file keeps what: columns of open, high, low, close, volume; unit of its time."""

    name: str
    delimiter: str
    columns: int
    time: int
    values: tuple[int, ...]
    time_unit: str  # key of UNIT_NS, or "iso"
    header: bool = False
    day_ns: int = 0  # start of the day that "ms of day" counts from
    asks: tuple[int, ...] = ()  # quote files: bars of the mid price of bid and ask

    def describe(self) -> str:
        """One line for the import report."""
        text = f"{self.name}, {self.columns} columns, time in {self.time_unit}"
        return text + ("; bars of the mid price, volume 0" if self.asks else "")


@dataclass(frozen=True, slots=True)
class _Headerless:
    name: str
    columns: int
    values: tuple[int, ...] = (1, 2, 3, 4, 5)
    asks: tuple[int, ...] = ()
    of_day: bool = False


HEADERLESS = (
    _Headerless("coinbase-trade", 6, of_day=True),
    _Headerless("coinbase-quote", 11, values=(1, 2, 3, 4), asks=(6, 7, 8, 9), of_day=True),
    _Headerless("ohlcv", 6),
    _Headerless("kraken", 7),
    _Headerless("binance", 12),
)
FORMAT_NAMES = ("plain", *(layout.name for layout in HEADERLESS))


def detect(lines: Sequence[str], *, name: str | None = None, day: date | None = None) -> Layout:
    """Find the layout of a file from its first lines; a given name is held to, not guessed past.

    Raises:
        NotBars: single trades, quotes of a book or other columns.
        UnknownLayout: nothing fits, or the day of a file of daytimes is not known.
    """
    rows = [line for line in lines if line.strip()]
    if not rows:
        raise UnknownLayout("the file holds no line")
    if "{" in rows[0]:
        raise NotBars("this file holds JSON messages (a recorded stream), not bars")
    delimiter = max(",;\t", key=rows[0].count)
    first = split(rows[0], delimiter)
    headed = not (NUMBER.fullmatch(first[0]) or iso_ns(first[0]) is not None)
    if name == "plain" and not headed:
        raise UnknownLayout(
            f"format plain needs a header line; the first line is {rows[0].strip()!r}"
        )
    if headed and name not in (None, "plain"):
        raise UnknownLayout(
            f"format {name} has no header line; the first line is {rows[0].strip()!r}"
        )
    body = [split(row, delimiter) for row in (rows[1:] if headed else rows)]
    return _headed(first, body, delimiter) if headed else _headerless(body, delimiter, name, day)


def split(line: str, delimiter: str) -> list[str]:
    """Fields of one line without quotes and outer blanks."""
    try:
        fields = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        fields = line.split(delimiter)
    return [field.strip() for field in fields]


def iso_ns(text: str) -> int | None:
    """Nanoseconds of an ISO date or date and time; without a zone it is UTC. None: it is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def _headed(header: list[str], body: list[list[str]], delimiter: str) -> Layout:
    names = [name.lower().replace(" ", "_") for name in header]
    found: dict[str, int] = {}
    for field, aliases in ALIASES.items():
        for alias in aliases:
            if names.count(alias) > 1:
                raise UnknownLayout(f"the header names {alias!r} twice")
            if alias in names:
                found[field] = names.index(alias)
                break
    missing = [field for field in ALIASES if field not in found]
    if missing:
        seen = ", ".join(header[:12])
        if "open" in missing and "price" in names:
            raise NotBars(
                f"this file holds prices without open, high and low: its columns are {seen}; "
                "trades need ts, price and amount"
            )
        if any(re.fullmatch(r"[ab](sk|id)?_?[pv]?(rice|olume)?_?\d+", name) for name in names):
            raise NotBars(f"this file holds an order book, not bars: its columns are {seen}")
        raise NotBars(
            f"no column for {', '.join(missing)}: the columns are {seen}; "
            "bars need time, open, high, low, close and volume"
        )
    time = found.pop("time")
    unit = time_unit([row[time] for row in body if len(row) == len(header)])
    if unit == "ms of day":
        raise UnknownLayout(
            "the times are smaller than any date: seconds since 1970 or ISO expected"
        )
    return Layout("plain", delimiter, len(header), time, tuple(found.values()), unit, header=True)


def _headerless(
    body: list[list[str]], delimiter: str, name: str | None, day: date | None
) -> Layout:
    counts = [len(row) for row in body]
    columns = max(set(counts), key=counts.count)
    unit = time_unit([row[0] for row in body if len(row) == columns])
    of_day = unit == "ms of day"
    fitting = [shape for shape in HEADERLESS if shape.columns == columns and shape.of_day == of_day]
    if name is not None:
        fitting = [shape for shape in HEADERLESS if shape.name == name and shape.columns == columns]
        if not fitting:
            wanted = next(shape.columns for shape in HEADERLESS if shape.name == name)
            raise UnknownLayout(f"format {name} has {wanted} columns, the file has {columns}")
        unit = "ms of day" if fitting[0].of_day else unit
    if not fitting:
        known = ", ".join(f"{shape.name} ({shape.columns})" for shape in HEADERLESS)
        raise UnknownLayout(
            f"{columns} columns without a header; known are {known}; otherwise add a header line"
        )
    shape = fitting[0]
    if shape.of_day and day is None:
        raise UnknownLayout(
            "the times count from midnight and the file does not say the day: give --date"
        )
    day_ns = (day - date(1970, 1, 1)).days * DAY_NS if shape.of_day and day else 0
    return Layout(
        shape.name, delimiter, columns, 0, shape.values, unit, day_ns=day_ns, asks=shape.asks
    )


def time_unit(times: list[str]) -> str:
    """Unit of the first readable times, by their size; a majority, so that one bad line is harmless."""
    votes: list[str] = []
    for text in times:
        if NUMBER.fullmatch(text):
            size = abs(float(text))
            bounds = ((1e8, "ms of day"), (1e11, "s"), (1e14, "ms"), (1e17, "us"))
            votes.append(next((unit for bound, unit in bounds if size < bound), "ns"))
        elif iso_ns(text) is not None:
            votes.append("iso")
    if not votes:
        raise UnknownLayout("no line has a time that can be read (seconds, ms, µs, ns or ISO)")
    return max(votes, key=votes.count)
