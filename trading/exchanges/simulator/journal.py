"""The simulated venue's journal: one file, a line an act, written before anything of the act is told."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trading.exchanges.simulator.images import Change

FORMAT = 1
NAME = "memory.jsonl"
MOST_GROWN = 64_000_000  # bytes, before what is superseded is left out
ANEW = "--forget begins anew"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Change).decode


class CannotRemember(ValueError):
    """A memory that does not fit, or cannot be read; the text says why and what helps."""


class Heading(msgspec.Struct, frozen=True):
    """Whose memory a journal is: its layout, and the market its orders met."""

    format: int
    market: str
    pairs: tuple[str, ...]


class Journal:
    """A folder of one venue's own, until its process ends."""

    def __init__(self, folder: Path, *, market: str, pairs: tuple[str, ...]) -> None:
        """Take the folder.

        Raises:
            CannotRemember: another venue has it, or it cannot be written.
        """
        self.path = folder / NAME
        self._heading = Heading(FORMAT, market, pairs)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CannotRemember(f"{folder}: {error.strerror}") from None
        self._file: int | None = None
        self._grown = 0
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            words = f"{folder}: another simulator that still runs has its memory there"
            raise CannotRemember(words) from None

    def read(self) -> list[Change]:
        """Every act that was written whole, oldest first; none where nothing is kept yet.

        Raises:
            CannotRemember: another version's or market's, or torn in its middle.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        self._check(lines[0])
        return list(self._changes(lines[1:-1]))  # what follows the last end of line was never whole

    def _check(self, line: bytes) -> None:
        try:
            told = msgspec.json.decode(line, type=Heading)
        except msgspec.MsgspecError:
            raise CannotRemember(f"{self.path}: line 1 is no heading; {ANEW}") from None
        if told.format != FORMAT:
            raise CannotRemember(
                f"{self.path}: written in format {told.format}, accepted is {FORMAT}; {ANEW}"
            )
        if told.market != self._heading.market:
            raise CannotRemember(
                f"{self.path}: its orders met {told.market}, not {self._heading.market}; {ANEW}"
            )
        missing = [pair for pair in told.pairs if pair not in self._heading.pairs]
        if missing:
            raise CannotRemember(
                f"{self.path}: knows {' '.join(missing)}, which --pairs does not list; {ANEW}"
            )

    def _changes(self, lines: list[bytes]) -> Iterator[Change]:
        for number, line in enumerate(lines):
            try:
                change = _decode(line)
            except msgspec.MsgspecError:
                if any(_is_whole(later) for later in lines[number + 1 :]):
                    words = f"line {number + 2} cannot be read, though later ones can; {ANEW}"
                    raise CannotRemember(f"{self.path}: {words}") from None
                return  # the machine went down while it was written
            yield change

    def begin(self, everything: Change) -> None:
        """A new file that tells all in one act, in the place of the old one.

        Raises:
            CannotRemember: it cannot be written; the old one stands.
        """
        fresh = self.path.with_suffix(".new")
        text = _encode(self._heading) + b"\n" + _encode(everything) + b"\n"
        try:
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write(file, text)
                os.fsync(file)
                fresh.replace(self.path)
            except OSError:
                os.close(file)
                raise
        except OSError as error:
            raise CannotRemember(f"{fresh}: {error.strerror}") from None
        if self._file is not None:
            os.close(self._file)
        self._file, self._grown = file, 0

    @property
    def is_long(self) -> bool:
        """Whether it is time to begin again."""
        return self._file is None or self._grown > MOST_GROWN

    def append(self, change: Change) -> None:
        """One act more, at once in the hands of the operating system.

        Raises:
            CannotRemember: it is not, or not whole; only ``begin`` helps.
        """
        assert self._file is not None
        line = _encode(change) + b"\n"
        self._grown += len(line)
        try:
            _write(self._file, line)
        except OSError as error:
            raise CannotRemember(f"{self.path}: {error.strerror}") from None

    def close(self) -> None:
        """Leave the folder to others."""
        for file in (self._file, self._lock):
            if file is not None:
                os.close(file)
        self._file = None


def _is_whole(line: bytes) -> bool:
    try:
        _decode(line)
    except msgspec.MsgspecError:
        return False
    return True


def _write(file: int, text: bytes) -> None:
    while text:
        text = text[os.write(file, text) :]
