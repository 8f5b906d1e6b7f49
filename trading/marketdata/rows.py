"""Bars of JSON files ``[[ms, open, high, low, close, volume], …]``, read in pieces of whole rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from trading.core.records import BAR
from trading.marketdata.formats import UNIT_NS, NotBars, UnknownLayout, time_unit
from trading.marketdata.lines import TextPieces, UnreadableFile
from trading.marketdata.parsing import FIELDS, INT64_MAX, LineError, Parsed

MAX_ROW_BYTES = 1 << 16
ROW = tuple[int, float, float, float, float, float]
_typed, _loose = msgspec.json.Decoder(list[ROW]), msgspec.json.Decoder(list[Any])


class JsonSource:
    """One JSON file of rows, as freqtrade writes them; plain or gzip."""

    unit = "row"

    def __init__(self, path: Path) -> None:
        """Look at the first rows.

        Raises:
            UnreadableFile: no list of rows, or no time in them.
        """
        self.path = path
        self.notes: list[str] = []
        self.damage: LineError | None = None
        first = next(self._pieces(), b"")
        if not first.strip():
            raise UnreadableFile(self.damage[1] if self.damage else "the file holds no row")
        rows = _decode_loosely(first)
        if not any(isinstance(row, list) for row in rows):
            raise NotBars("this JSON file does not hold a list of rows of numbers")
        times = [str(row[0]) for row in rows[:50] if isinstance(row, list) and row]
        self._time_unit = time_unit(times)
        if self._time_unit not in ("s", "ms", "us", "ns"):
            raise UnknownLayout(
                "the first number of a row is no time since 1970 in s, ms, µs or ns"
            )
        self.head_opens = self._parse(first, 1).bars["open_ns"]
        self.description = f"json, rows of 6 numbers, time in {self._time_unit}"

    def __iter__(self) -> Iterator[Parsed]:
        self.damage, row = None, 1
        for text in self._pieces():
            parsed = self._parse(text, row)
            row += len(parsed.bars) + len(parsed.errors)
            yield parsed
        if self.damage:
            self.damage = row, self.damage[1]

    def _pieces(self) -> Iterator[bytes]:
        """Text of whole rows, joined by commas, without the brackets around the list."""
        pieces, held, begun = TextPieces(self.path), b"", False
        for piece in pieces:
            held += piece
            if not begun:
                held, begun = held.lstrip().removeprefix(b"["), True
            end = held.rfind(b"],") + 1
            if end:
                yield held[:end]
                held = held[end:].removeprefix(b",")
            if len(held) > len(piece) + MAX_ROW_BYTES:
                self.damage = (
                    1,
                    f"no end of a row within {MAX_ROW_BYTES} bytes: nothing was read on",
                )
                return
        held = held.rstrip()
        whole = held.removesuffix(b"]").rstrip()
        if pieces.damage or whole == held or (whole and not whole.endswith(b"]")):
            self.damage = 1, pieces.damage or "cut: the list of rows ends early"
            whole = held[: held.rfind(b"]") + 1]
        if whole:
            yield whole

    def _parse(self, text: bytes, first_row: int) -> Parsed:
        unit = UNIT_NS[self._time_unit]
        try:
            rows = _typed.decode(b"[" + text + b"]")
            bars = np.array(rows, BAR)
            if (
                len(bars)
                and 0 <= bars["open_ns"].min() <= bars["open_ns"].max() <= INT64_MAX // unit
            ):
                bars["open_ns"] *= unit
                return Parsed(bars, np.arange(first_row, first_row + len(bars)))
        except (msgspec.DecodeError, OverflowError):
            pass
        return self._parse_slowly(text, first_row, unit)

    def _parse_slowly(self, text: bytes, first_row: int, unit: int) -> Parsed:
        found, numbers, errors = [], [], []
        for number, row in enumerate(_decode_loosely(text), start=first_row):
            try:
                found.append(_bar(row, unit))
                numbers.append(number)
            except ValueError as error:
                errors.append((number, str(error)))
        return Parsed(np.array(found, BAR), np.array(numbers, np.int64), errors)


def _decode_loosely(text: bytes) -> list[Any]:
    """The rows; one that is no JSON stands as its text."""
    try:
        return _loose.decode(b"[" + text + b"]")
    except msgspec.DecodeError:
        return [_one(part) for part in text.split(b"],")]


def _one(part: bytes) -> Any:
    part = part.strip()
    try:
        return msgspec.json.decode(part if part.endswith(b"]") else part + b"]")
    except msgspec.DecodeError:
        return part[:60].decode("utf-8", "replace")


def _bar(row: Any, unit: int) -> tuple[float, ...]:
    """One row's bar.

    Raises:
        ValueError: it is none; the text says which field and why.
    """
    if not isinstance(row, list):
        raise ValueError(f"not a row of numbers: {row!r}")
    if len(row) != 6:
        raise ValueError(f"wrong column count: {len(row)} where 6 are expected")
    if isinstance(row[0], bool) or not isinstance(row[0], int):
        raise ValueError(f"time is not a whole number: {row[0]!r}")
    if not 0 <= row[0] <= INT64_MAX // unit:
        raise ValueError(f"time is out of range: {row[0]}")
    for name, value in zip(FIELDS, row[1:], strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} is not a number: {value!r}")
    return (row[0] * unit, *map(float, row[1:]))
