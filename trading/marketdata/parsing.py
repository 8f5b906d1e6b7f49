"""Blocks of CSV lines into arrays: compiled where all is well, line by line where it is not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from trading.core.records import BAR
from trading.marketdata.formats import NUMBER, UNIT_NS, Layout, iso_ns, split
from trading.marketdata.lines import Block

INT64_MAX = np.iinfo(np.int64).max
FIELDS = ("open", "high", "low", "close", "volume")
LineError = tuple[int, str]
Row = TypeVar("Row")


@dataclass(slots=True)
class Parsed:
    """Rows of a block with their line numbers, and the lines that could not be read at all."""

    bars: np.ndarray
    lines: np.ndarray
    errors: list[LineError] = field(default_factory=list)


def parse_block(block: Block, layout: Layout) -> Parsed:
    """Read a block; the slow way gives the same values and names every line it cannot read."""
    data, first_line = block.data, block.first_line
    if layout.header and first_line == 1:
        data, first_line = data[data.index(b"\n") + 1 :], 2
    if not data:
        return Parsed(np.empty(0, BAR), np.empty(0, np.int64))
    return _parse_fast(data, first_line, layout) or _parse_slowly(data, first_line, layout)


def _parse_fast(data: bytes, first_line: int, layout: Layout) -> Parsed | None:
    names = [str(number) for number in range(layout.columns)]
    wanted = {str(number): pa.float64() for number in (*layout.values, *layout.asks)}
    time_type = pa.string() if layout.time_unit == "iso" else pa.int64()
    try:
        table = pc.read_csv(
            pa.BufferReader(data),
            read_options=pc.ReadOptions(
                column_names=names, use_threads=False, block_size=len(data) + 1
            ),
            parse_options=pc.ParseOptions(delimiter=layout.delimiter, ignore_empty_lines=False),
            convert_options=pc.ConvertOptions(
                column_types={**wanted, str(layout.time): time_type},
                include_columns=[str(layout.time), *wanted],
                null_values=[],
            ),
        )
        if table.num_rows != data.count(b"\n"):
            return None
        opens = _times(table.column(0), layout)
    except pa.ArrowException:
        return None
    if opens is None:
        return None
    bars = np.empty(table.num_rows, BAR)
    bars["open_ns"] = opens
    values = [table.column(index).to_numpy() for index in range(1, table.num_columns)]
    for position, name in enumerate(FIELDS):
        bars[name] = _value(values, position, bool(layout.asks))
    return Parsed(bars, np.arange(first_line, first_line + table.num_rows))


def _times(column: pa.ChunkedArray, layout: Layout) -> np.ndarray | None:
    """Nanoseconds of the time column; None where a value needs the slow way's closer look."""
    if layout.time_unit == "iso":
        for zone in (None, "UTC"):
            try:
                return column.cast(pa.timestamp("ns", tz=zone)).cast(pa.int64()).to_numpy()
            except pa.ArrowException:
                continue
        return None
    raw = column.to_numpy()
    unit = UNIT_NS[layout.time_unit]
    if len(raw) and (raw.min() < 0 or raw.max() > _largest(layout)):
        return None
    return raw * unit + layout.day_ns


def _largest(layout: Layout) -> int:
    return 86_399_999 if layout.time_unit == "ms of day" else INT64_MAX // UNIT_NS[layout.time_unit]


def _value(values: list, position: int, quotes: bool) -> Any:
    """One field: as it stands, or of a quote file the middle of bid and ask (and no volume)."""
    if not quotes:
        return values[position]
    return 0.0 if position == 4 else (values[position] + values[position + 4]) / 2


def _parse_slowly(data: bytes, first_line: int, layout: Layout) -> Parsed:
    rows, lines, errors = read_lines(data, first_line, lambda text: _parse_line(text, layout))
    return Parsed(np.array(rows, BAR), lines, errors)


def read_lines(
    data: bytes, first_line: int, read: Callable[[str], Row]
) -> tuple[list[Row], np.ndarray, list[LineError]]:
    """Line by line: what could be read, the numbers of those lines, and what is wrong with the others."""
    rows: list[Row] = []
    lines: list[int] = []
    errors: list[LineError] = []
    for line, raw in enumerate(data.split(b"\n")[:-1], start=first_line):
        try:
            rows.append(read(raw.decode("utf-8")))
            lines.append(line)
        except UnicodeDecodeError:
            errors.append((line, "not UTF-8 text"))
        except ValueError as error:
            errors.append((line, str(error)))
    return rows, np.array(lines, np.int64), errors


def read_fields(text: str, delimiter: str, columns: int) -> list[str]:
    """The fields of a line.

    Raises:
        ValueError: it is empty, or there are more or fewer.
    """
    if not text.strip():
        raise ValueError("empty line")
    fields = split(text, delimiter)
    if len(fields) != columns:
        raise ValueError(f"wrong column count: {len(fields)} where {columns} are expected")
    return fields


def _parse_line(text: str, layout: Layout) -> tuple[float, ...]:
    """One line's bar.

    Raises:
        ValueError: it cannot be read; the text says which field and why.
    """
    fields = read_fields(text, layout.delimiter, layout.columns)
    opens = _time(fields[layout.time], layout)
    values = []
    names = (
        FIELDS
        if not layout.asks
        else [f"{side} {name}" for side in ("bid", "ask") for name in FIELDS[:4]]
    )
    for name, column in zip(names, (*layout.values, *layout.asks), strict=True):
        if not NUMBER.fullmatch(fields[column]):
            raise ValueError(f"{name} is not a number: {fields[column]!r}")
        values.append(float(fields[column]))
    return (opens, *(_value(values, position, bool(layout.asks)) for position in range(5)))


def _time(text: str, layout: Layout) -> int:
    if layout.time_unit == "iso":
        opens = iso_ns(text)
        if opens is None:
            raise ValueError(f"time is not an ISO date and time: {text!r}")
        return opens
    whole, _, fraction = text.partition(".")
    if not (
        whole.isascii() and whole.isdigit() and (not fraction or set(fraction) <= set("0123456789"))
    ):
        raise ValueError(f"time is not a number of {layout.time_unit}: {text!r}")
    unit = UNIT_NS[layout.time_unit]
    digits = fraction.rstrip("0")
    opens = int(whole) * unit + (int(digits) * unit // 10 ** len(digits) if digits else 0)
    if len(whole) > 19 or int(whole) > _largest(layout):
        raise ValueError(f"time is out of range: {text!r}")
    return opens + layout.day_ns
