"""Files of order book snapshots: a line each, best level first, prices and sizes as text."""

import csv
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from trading.marketdata.formats import UnknownLayout, iso_ns
from trading.marketdata.lines import TextPieces, UnreadableFile

FIELDS = ("ap", "av", "bp", "bv")  # ask price and volume, bid price and volume
COLUMN = re.compile(r"(ap|av|bp|bv)(\d+)")
ACCEPTED = "accepted is a header timestamp,ap0,av0,bp0,bv0,ap1,… (best first) and UTC times"
Level = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A book at a moment; levels are (price, size), best first."""

    time_ns: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def read_books(path: Path) -> list[Snapshot]:
    """Every snapshot of a file, in time order.

    Raises:
        UnreadableFile: these are no books, or a line cannot be read.
        OSError: nor can the file.
    """
    pieces = TextPieces(path)
    text = b"".join(pieces).decode(errors="replace")
    if pieces.damage:
        raise UnreadableFile(pieces.damage)
    rows = csv.reader(text.splitlines())
    header = next(rows, [])
    depth = _depth_of(header)
    found: list[Snapshot] = []
    for line, row in enumerate(rows, start=2):
        try:
            told = _read(dict(zip(header, row, strict=True)), depth)
            if found and told.time_ns < found[-1].time_ns:
                raise ValueError("it is older than the line before")
        except (ValueError, InvalidOperation) as error:
            raise UnreadableFile(f"line {line}: {error}; {ACCEPTED}") from None
        found.append(told)
    if not found:
        raise UnreadableFile("there is not one snapshot in it")
    return found


def _depth_of(header: list[str]) -> int:
    levels = [int(match[2]) for match in map(COLUMN.fullmatch, header) if match]
    depth = max(levels, default=-1) + 1
    wanted = {f"{name}{k}" for name in FIELDS for k in range(depth)} | {"timestamp"}
    if depth == 0 or set(header) != wanted or len(header) != len(wanted):
        raise UnknownLayout(f"its first line is {','.join(header)[:60]!r}; {ACCEPTED}")
    return depth


def _read(row: dict[str, str], depth: int) -> Snapshot:
    time_ns = iso_ns(row["timestamp"])
    if time_ns is None:
        raise ValueError(f"timestamp is {row['timestamp']!r}")
    asks = tuple((Decimal(row[f"ap{k}"]), Decimal(row[f"av{k}"])) for k in range(depth))
    bids = tuple((Decimal(row[f"bp{k}"]), Decimal(row[f"bv{k}"])) for k in range(depth))
    numbers = [number for level in (*asks, *bids) for number in level]
    if not all(number.is_finite() and number > 0 for number in numbers):
        raise ValueError("a price or size is not a positive number")
    out = [[price for price, _ in side] for side in (asks, bids)]
    if out[0] != sorted(out[0]) or out[1] != sorted(out[1], reverse=True) or out[0][0] <= out[1][0]:
        raise ValueError("its levels are not in order, best first")
    return Snapshot(time_ns, bids, asks)
