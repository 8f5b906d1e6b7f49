"""Anchors: heads of chains, sealed and kept in a file outside the database.

Whoever owns the database can hash a whole chain anew; not one whose head stands here. Each line's
seal covers the line and the seal before it, under a key the database does not hold.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tenants.chain import Head


class AnchorsDamaged(Exception):
    """A line of the file does not bear our seal; the text names it."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of one chain at one moment.

    With a ``note`` a person accepted that the chain is another one since a backup was restored:
    earlier anchors count only up to the entry ``holds_to``.
    """

    at: str
    kind: str
    tenant: str
    chain: str
    sequence: int
    hash: str
    note: str = ""
    holds_to: int = 0

    @property
    def head(self) -> Head:
        """For comparing."""
        return Head(self.sequence, bytes.fromhex(self.hash))


def read_anchors(path: Path, *, key: bytes) -> Iterator[Anchor]:
    """Every anchor of a file, oldest first; none where there is no file.

    Raises:
        AnchorsDamaged: a line was changed, taken out or put in.
    """
    for anchor, _ in _sealed_lines(path, key):
        yield anchor


def heads_by_chain(anchors: Iterable[Anchor]) -> dict[tuple[str, str], list[Head]]:
    """The heads that count, by kind and chain."""
    kept: dict[tuple[str, str], list[Head]] = {}
    for anchor in anchors:
        heads = kept.setdefault((anchor.kind, anchor.chain), [])
        if anchor.note:
            heads[:] = [head for head in heads if head.sequence <= anchor.holds_to]
        heads.append(anchor.head)
    return kept


def append_anchors(path: Path, anchors: Iterable[Anchor], *, key: bytes) -> list[str]:
    """Seal anchors and append them; the lines, for keeping elsewhere too.

    Raises:
        AnchorsDamaged: the file does not bear our seals, so nothing is added to it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        seal, lines = _last_seal(path, key), []
        for anchor in anchors:
            told = asdict(anchor)
            seal = _seal(key, seal, told)
            lines.append(json.dumps({**told, "seal": seal}))
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    return lines


def _last_seal(path: Path, key: bytes) -> str:
    last = deque(_sealed_lines(path, key), maxlen=1)
    return last[0][1] if last else ""


def _sealed_lines(path: Path, key: bytes) -> Iterator[tuple[Anchor, str]]:
    if not path.exists():
        return
    seal = ""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                told = json.loads(line)
                stated = told.pop("seal")
                anchor = Anchor(**told)
                seal = _seal(key, seal, told)
                is_ours = hmac.compare_digest(seal, stated)
            except (ValueError, KeyError, TypeError, AttributeError):
                is_ours = False
            if not is_ours:
                raise AnchorsDamaged(f"{path}: line {number} does not bear our seal")
            yield anchor, seal


def _seal(key: bytes, before: str, told: dict[str, object]) -> str:
    text = before + json.dumps(told, sort_keys=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
