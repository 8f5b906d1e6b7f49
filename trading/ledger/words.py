"""Bytes told as what differs from other bytes: the words that do, and where they are."""

import struct

import numpy as np

WORD = 8
HEAD = struct.Struct("<II")  # bytes of the whole, words that differ
PLACE, VALUE = np.dtype("<u4"), np.dtype("<u8")


def difference(former: bytes, now: bytes) -> bytes:
    """What makes ``now`` of ``former``; from nothing only words that are not zero count."""
    made = _words(now, len(now))
    at = np.flatnonzero(made != _words(former, len(now))).astype(PLACE)
    return HEAD.pack(len(now), len(at)) + at.tobytes() + made[at].tobytes()


def apply(former: bytes, change: bytes) -> bytes:
    """What ``difference`` was told to make."""
    size, count = HEAD.unpack_from(change)
    made = _words(former, size).copy()
    at = np.frombuffer(change, PLACE, count, HEAD.size)
    made[at] = np.frombuffer(change, VALUE, count, HEAD.size + at.nbytes)
    return made.tobytes()[:size]


def _words(raw: bytes, size: int) -> np.ndarray:
    """The first bytes of ``raw`` as words enough for ``size`` bytes, zeros behind them."""
    room = -(-size // WORD) * WORD
    return np.frombuffer(raw[:room].ljust(room, b"\0"), VALUE)
