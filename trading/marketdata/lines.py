"""Files as text in pieces or blocks of whole numbered lines: plain or gzip, bounded memory, damage told."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 16
FOREIGN = (
    (b"PK\x03\x04", "a zip archive: unpack it and name the CSV files in it"),
    (b"PAR1", "a Parquet file inside gzip: unpack it"),
    (b"ARROW1", "a feather file inside gzip: unpack it"),
    (b"FEA1", "a feather file of version 1: write it again as version 2 or as CSV"),
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
    (b"BZh", "packed with bzip2: unpack it or pack it with gzip"),
    (b"\xfd7zXZ", "packed with xz: unpack it or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it or pack it with gzip"),
)
ACCEPTED = "accepted are CSV and JSON, plain or gzip, feather and Parquet"


class UnreadableFile(Exception):
    """The file as a whole cannot hold bars; the text says what it is instead."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, each with its line end; ``first_line`` is the number of the first, from 1."""

    first_line: int
    data: bytes


class TextPieces:
    """Iterates over a file's unpacked bytes; afterwards ``damage`` tells why it ended early."""

    def __init__(self, path: Path, *, block_bytes: int = BLOCK_BYTES) -> None:
        self.path = path
        self.damage: str | None = None
        self._block_bytes = block_bytes

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            gzipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            first = True
            for piece in (
                self._unzipped(file) if gzipped else iter(lambda: file.read(self._block_bytes), b"")
            ):
                if first:
                    _refuse_foreign(piece)
                    piece = piece.removeprefix(b"\xef\xbb\xbf")
                    first = False
                yield piece

    def _unzipped(self, file: BinaryIO) -> Iterator[bytes]:
        """Decompress member after member; what can be read before a fault is still given."""
        member = zlib.decompressobj(wbits=31)
        packed = b""
        fresh = True
        while True:
            packed = packed or file.read(self._block_bytes)
            if not packed:
                if not fresh:
                    self.damage = "cut: the gzip file ends early, in this line or before it"
                return
            try:
                text = member.decompress(packed, self._block_bytes)
            except zlib.error as error:
                if not fresh or packed.strip(b"\0"):
                    self.damage = f"damaged gzip ({error}): lines shortly before may be wrong"
                return
            fresh = False
            packed = member.unconsumed_tail
            if text:
                yield text
            if member.eof:
                packed = member.unused_data
                member, fresh = zlib.decompressobj(wbits=31), True


class LineBlocks:
    """Iterates over a file's blocks; afterwards ``damage`` and ``unterminated`` tell how it ended."""

    def __init__(self, path: Path, *, block_bytes: int = BLOCK_BYTES) -> None:
        self.path = path
        self.next_line = 1
        self.damage: str | None = None
        self.unterminated = False
        self._block_bytes = block_bytes

    def __iter__(self) -> Iterator[Block]:
        pending = b""
        pieces = TextPieces(self.path, block_bytes=self._block_bytes)
        for piece in pieces:
            pending += piece
            end = pending.rfind(b"\n") + 1
            if end:
                yield self._block(pending[:end])
                pending = pending[end:]
            if len(pending) > MAX_LINE_BYTES:
                self._stop_at_long_line()
                return
        self.damage = pieces.damage
        if pending and self.damage is None:
            self.unterminated = True
            yield self._block(pending + b"\n")

    def _stop_at_long_line(self) -> None:
        if self.next_line == 1:
            raise UnreadableFile(
                f"the first line is longer than {MAX_LINE_BYTES} bytes: not a CSV file"
            )
        self.damage = f"longer than {MAX_LINE_BYTES} bytes: nothing was read from here on"

    def _block(self, data: bytes) -> Block:
        block = Block(self.next_line, data)
        self.next_line += data.count(b"\n")
        return block


def _refuse_foreign(start: bytes) -> None:
    for magic, what in FOREIGN:
        if start.startswith(magic):
            raise UnreadableFile(f"this is {what}; {ACCEPTED}")
    if b"\0" in start[:4096]:
        raise UnreadableFile(f"this is not text (it holds zero bytes); {ACCEPTED}")
