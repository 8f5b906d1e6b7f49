"""The venue's time, from the stamps of its own messages; ours only carries it on in between."""

import time
from datetime import datetime
from functools import lru_cache

NS = 1_000_000_000


def read_stamp(text: str) -> int:
    """Nanoseconds of an RFC 3339 time with up to nine decimals.

    Raises:
        ValueError: it is none.
    """
    second, _, part = text.removesuffix("Z").partition(".")
    return _second_ns(second) + int(part.ljust(9, "0")[:9])


@lru_cache(maxsize=64)  # many messages come within one second
def _second_ns(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp()) * NS


def ahead_seconds(*, asked_ns: int, answered_ns: int, told_ns: int, grain_ns: int) -> float:
    """By how much our clock leads the venue's, at least; below zero: it is behind.

    The venue read its clock at some moment of the round trip, and tells whole grains only: between
    these bounds everything may be the truth, and zero is believed when it lies there.
    """
    least, most = asked_ns - (told_ns + grain_ns), answered_ns - told_ns
    return (max(least, 0) + min(most, 0)) / NS


class VenueClock:
    """Newest stamp plus the time since it came; never falls back."""

    def __init__(self) -> None:
        self._stamp_ns = 0
        self._heard_at = 0.0

    def hear(self, stamp_ns: int) -> None:
        """A stamp of the venue's."""
        if stamp_ns >= self._stamp_ns:
            self._stamp_ns, self._heard_at = stamp_ns, time.monotonic()

    @property
    def has_heard(self) -> bool:
        """Whether the venue has spoken."""
        return self._stamp_ns > 0

    def now_ns(self) -> int:
        """The venue's time now; ours before it has spoken."""
        if not self._stamp_ns:
            return time.time_ns()
        return self._stamp_ns + int((time.monotonic() - self._heard_at) * NS)
