"""A file of bars as numbered rows, whatever its format: CSV, JSON, feather or Parquet."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np

from trading.marketdata import formats
from trading.marketdata.formats import UnknownLayout
from trading.marketdata.lines import LineBlocks, TextPieces, UnreadableFile
from trading.marketdata.parsing import LineError, Parsed, parse_block
from trading.marketdata.rows import JsonSource
from trading.marketdata.tables import MAGIC, TableSource

HEAD_LINES = 50
FORMAT_NAMES = (*formats.FORMAT_NAMES, "json", "feather", "parquet", "trades", "kraken-trades")
OTHER_THAN_CSV = ("json", "feather", "parquet")


class BarSource(Protocol):
    """What a reader of one format offers; iterate for the rows, then look at ``damage``."""

    description: str
    unit: str  # what its rows are called: "line" or "row"
    head_opens: np.ndarray  # times of the first rows
    notes: list[str]
    damage: LineError | None  # where the file ended early, and why

    def __iter__(self) -> Iterator[Parsed]: ...


class CsvSource:
    """One CSV file of bars, plain or gzip."""

    unit = "line"

    def __init__(self, path: Path, *, name: str | None, day: date | None) -> None:
        """Look at the head of the file.

        Raises:
            UnreadableFile: it does not hold bars; subclasses say what was seen instead.
        """
        self.path = path
        self.notes: list[str] = []
        self.damage: LineError | None = None
        head = next(iter(LineBlocks(path)), None)
        if head is None:
            raise UnreadableFile("the file is empty, or nothing of it can be unpacked")
        self.layout = formats.detect(head_lines(head.data), name=name, day=day)
        self.description = self.layout.describe()
        self.head_opens = parse_block(head, self.layout).bars["open_ns"]

    def __iter__(self) -> Iterator[Parsed]:
        blocks = LineBlocks(self.path)
        for block in blocks:
            yield parse_block(block, self.layout)
        if blocks.damage:
            self.damage = blocks.next_line, blocks.damage
        if blocks.unterminated:
            self.notes.append(no_line_end(blocks.next_line - 1))


def open_source(path: Path, *, name: str | None, day: date | None) -> BarSource:
    """The reader of a file of bars; a given format is held to.

    Raises:
        UnreadableFile: it does not hold bars, or is of another format than named.
        OSError: it cannot be opened.
    """
    kind = sniff(path)
    if name is not None and kind != (name if name in OTHER_THAN_CSV else "csv"):
        raise UnknownLayout(f"format {name} was asked for, the file holds {kind}")
    if kind == "json":
        return JsonSource(path)
    if kind in MAGIC:
        return TableSource(path, kind)
    return CsvSource(path, name=name, day=day)


def sniff(path: Path) -> str:
    """Whether the first bytes are those of ``feather``, ``parquet``, ``json`` or else ``csv``.

    Raises:
        UnreadableFile: something that cannot hold bars.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(8)
    for kind, magic in MAGIC.items():
        if start.startswith(magic):
            return kind
    first = next(iter(TextPieces(path)), b"").lstrip()[:1]
    if first == b"{":
        raise formats.NotBars(
            "this file holds a JSON object, not bars; accepted is a list of rows "
            "[ms, open, high, low, close, volume]"
        )
    return "json" if first == b"[" else "csv"


def head_lines(data: bytes) -> list[str]:
    """The first lines of a block as text."""
    return [line.decode("utf-8", "replace") for line in data.split(b"\n")[:HEAD_LINES]]


def no_line_end(line: int) -> str:
    """The note about a last line without a line end."""
    return (
        f"line {line}, the last, has no line end: taken as it stands, unless it is listed as broken"
    )
