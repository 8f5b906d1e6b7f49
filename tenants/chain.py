"""Hash chains (pure): how an entry is linked to the one before, and where a chain is broken."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

GENESIS = bytes(32)
INSERTIONS_TRACED = 1024  # entries put in one after another whose place is still named exactly


class Damage(StrEnum):
    """What was done to a chain."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored entry: its number, its links, and the canonical bytes of what it says."""

    sequence: int
    previous_hash: bytes
    hash: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain; a kept one proves what the chain was."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry that does not hold."""

    sequence: int
    damage: Damage
    words: str


@dataclass(frozen=True, slots=True)
class Walk:
    """A chain walked from its first entry to its last; ``proven``: the last anchor that holds."""

    head: Head
    proven: int
    first_break: Break | None


def link(previous_hash: bytes, content: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(previous_hash + content).digest()


def walk(entries: Iterable[Entry], anchors: Iterable[Head] = ()) -> Walk:
    """Walk a chain in the order of its numbers, beside the heads that were kept of it.

    One pass in constant memory; the rest of a broken chain is read only to tell how it was broken.
    """
    walker = _Walker(anchors)
    rest = iter(entries)
    for entry in rest:
        if not walker.step(entry):
            return Walk(walker.head, walker.proven, _explain(walker, entry, rest))
    return Walk(walker.head, walker.proven, walker.end())


class _Walker:
    """The entries seen so far, as far as they are needed for judging the next."""

    def __init__(self, anchors: Iterable[Head]) -> None:
        self.head = Head(0, GENESIS)
        self.recent: deque[bytes] = deque([GENESIS], maxlen=INSERTIONS_TRACED)
        self._anchors = deque(sorted(anchors, key=lambda kept: kept.sequence))
        self.proven = 0
        self._rewritten: Break | None = None

    def step(self, entry: Entry) -> bool:
        """Take the next entry; False where the chain does not hold."""
        if (
            entry.sequence != self.head.sequence + 1
            or entry.previous_hash != self.head.hash
            or link(entry.previous_hash, entry.content) != entry.hash
        ):
            return False
        self.head = Head(entry.sequence, entry.hash)
        self.recent.append(entry.hash)
        self._compare()
        return True

    def _compare(self) -> None:
        while self._anchors and self._anchors[0].sequence == self.head.sequence:
            kept = self._anchors.popleft()
            if kept.hash == self.head.hash:
                self.proven = kept.sequence
            elif self._rewritten is None:
                first = self.proven + 1
                words = (
                    f"an entry from {first} to {kept.sequence} was rewritten and all after it "
                    f"hashed anew: the anchor of entry {kept.sequence} tells another hash"
                )
                self._rewritten = Break(first, Damage.REWRITTEN, words)

    def end(self) -> Break | None:
        """What is wrong with a chain in which every entry follows from the one before."""
        if self._rewritten is None and self._anchors:
            last = self._anchors[-1].sequence
            words = f"entries {self.head.sequence + 1} to {last} are gone: an anchor knows of them"
            return Break(self.head.sequence + 1, Damage.TRUNCATED, words)
        return self._rewritten


def _explain(walker: _Walker, entry: Entry, rest: Iterator[Entry]) -> Break:
    """How a chain is broken whose next entry does not follow from the last."""
    number, before = walker.head.sequence + 1, walker.head.hash
    if entry.sequence < number:
        words = f"there is more than one entry {entry.sequence}"
        return Break(entry.sequence, Damage.INSERTED, words)
    if entry.sequence > number:
        gone = f"entries {number} to {entry.sequence - 1} are" if entry.sequence > number + 1 else (
            f"entry {number} is"
        )  # fmt: skip
        return Break(number, Damage.DELETED, f"{gone} missing")
    if link(entry.previous_hash, entry.content) != entry.hash:
        return _explain_content(number, before, entry, rest)
    if entry.previous_hash in walker.recent:  # its rightful place is further up
        newer = len(walker.recent) - 1 - walker.recent.index(entry.previous_hash)
        first = number - newer
        words = f"entry {first} was put in: entry {number} follows from entry {first - 1}"
        return Break(first, Damage.INSERTED, words)
    return _explain_link(number, before, entry, rest)


def _explain_content(number: int, before: bytes, entry: Entry, rest: Iterator[Entry]) -> Break:
    """The content is not what was hashed: changed, put in, or exchanged with another entry's."""
    for other in rest:
        if other.sequence == number + 1 and other.previous_hash == before:
            return Break(number, Damage.INSERTED, f"entry {number} was put in")
        if link(entry.previous_hash, other.content) == entry.hash:
            words = f"entries {number} and {other.sequence} were exchanged"
            return Break(number, Damage.SWAPPED, words)
    return Break(number, Damage.CHANGED, f"entry {number} does not say what was hashed")


def _explain_link(number: int, before: bytes, entry: Entry, rest: Iterator[Entry]) -> Break:
    """The entry is whole but follows from another: moved, put in, or its predecessor is gone."""
    last = entry
    for other in rest:
        if other.previous_hash == before:  # the rightful one
            if entry.previous_hash in (last.hash, other.hash):
                words = f"entries {number} and {other.sequence} were exchanged"
                return Break(number, Damage.SWAPPED, words)
            return Break(number, Damage.INSERTED, f"entry {number} was put in")
        last = other
    words = (
        f"entry {number} does not follow from entry {number - 1}: what stood between them was "
        f"deleted, or entry {number - 1} was rewritten"
    )
    return Break(number, Damage.DELETED, words)
