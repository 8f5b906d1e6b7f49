"""Segments of a tape as files: framed, summed, append-only; what a dying process tore is left out."""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from trading.tape.entries import FORMAT, Entry, Start

MAGIC = b"NPTAPE01"
FRAME = struct.Struct(">II")  # length, CRC-32 of what follows
SUFFIX = ".tape"

_encode = msgspec.msgpack.Encoder().encode
_decode_start = msgspec.msgpack.Decoder(Start).decode
_decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode


class UnreadableSegment(Exception):
    """A file that does not even tell what it starts from; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as read: where it starts, its entries, and whether its end was torn off."""

    path: Path
    start: Start
    entries: tuple[Entry, ...]
    is_torn: bool


class SegmentWriter:
    """One open segment. What was written survives the process; a power cut may take the end."""

    def __init__(self, folder: Path, start: Start) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{start.epoch:010d}-{start.number:06d}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(self.path, flags, 0o600)
        self.size = 0
        try:
            self._write(MAGIC + frame(_encode(start)))
        except OSError:
            self.close()
            raise

    def append(self, entries: Sequence[Entry]) -> None:
        """Write a batch as one frame.

        Raises:
            OSError: the disk is full or gone.
        """
        self._write(frame(_encode(entries)))

    def close(self) -> None:
        """Nothing is added any more."""
        os.close(self._file)

    def _write(self, data: bytes) -> None:
        written = os.write(self._file, data)
        self.size += written
        if written < len(data):
            raise OSError(f"only {written} of {len(data)} bytes of {self.path.name} were written")


def frame(payload: bytes) -> bytes:
    """A payload that tells its own length and sum."""
    return FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def list_segments(folder: Path) -> list[Path]:
    """The segments of one engine, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def read_start(path: Path) -> Start:
    """Where a segment starts.

    Raises:
        UnreadableSegment: it is none, or of another format.
    """
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
        head = file.read(FRAME.size)
        length = FRAME.unpack(head)[0] if len(head) == FRAME.size else 0
        payloads = list(_payloads(head + file.read(length)))
    if magic != MAGIC or not payloads:
        raise UnreadableSegment(f"{path.name} does not begin as a tape does")
    try:
        start = _decode_start(payloads[0])
    except msgspec.DecodeError as error:
        raise UnreadableSegment(f"{path.name} cannot be read: {error}") from None
    if start.format != FORMAT:
        raise UnreadableSegment(f"{path.name} has format {start.format}, read is {FORMAT}")
    return start


def read_segment(path: Path) -> Segment:
    """A whole segment, up to where it was torn.

    Raises:
        UnreadableSegment: it is none, or of another format.
    """
    start, data = read_start(path), path.read_bytes()[len(MAGIC) :]
    entries: list[Entry] = []
    used = 0
    for number, payload in enumerate(_payloads(data)):
        used += FRAME.size + len(payload)
        if number:
            entries += _decode_entries(payload)
    return Segment(path, start, tuple(entries), used < len(data))


def _payloads(data: bytes) -> Iterator[bytes]:
    """The payloads of whole frames; ends before the first that is not."""
    at = 0
    while at + FRAME.size <= len(data):
        length, crc = FRAME.unpack_from(data, at)
        payload = data[at + FRAME.size : at + FRAME.size + length]
        if len(payload) < length or zlib.crc32(payload) != crc:
            return
        yield payload
        at += FRAME.size + length


def prune(folder: Path, *, most_bytes: int, oldest_ns: int, keep: Path) -> list[str]:
    """Delete the oldest segments that are too many or too old; the names of those gone."""
    gone = []
    sizes = {path: path.stat() for path in list_segments(folder)}
    total = sum(one.st_size for one in sizes.values())
    for path, one in sizes.items():
        if path == keep or (total <= most_bytes and one.st_mtime_ns >= oldest_ns):
            continue
        path.unlink(missing_ok=True)
        total -= one.st_size
        gone.append(path.name)
    return gone
