"""Results as bytes: one canonical text, so that equal runs have equal hashes, packed to be stored."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

IN_SAMPLE, OUT_OF_SAMPLE, PROBE = "IN", "OUT", "PROBE"


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluated parameter set; ``metrics`` is None where the set cannot be, and why in ``error``."""

    window: int
    sample: str
    index: int
    values: Mapping[str, Any]
    metrics: dict[str, Any] | None
    error: str
    daily: bytes

    def told(self) -> dict[str, Any]:
        """Plain facts, named in one order wherever the trial was kept in between."""
        return {
            "index": self.index,
            "values": ordered(dict(self.values)),
            "metrics": ordered(self.metrics),
            **({"error": self.error} if self.error else {}),
        }

    @property
    def key(self) -> tuple[int, str, int]:
        """What it is known by within its run."""
        return self.window, self.sample, self.index


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run leaves behind: all facts, and what its page draws."""

    facts: dict[str, Any]
    charts: dict[str, Any]


def ordered(value: Any) -> Any:
    """The same with all names in alphabetical order, as a column of JSON gives them in its own."""
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value)}
    return [ordered(one) for one in value] if isinstance(value, list) else value


def canonical(facts: Mapping[str, Any]) -> bytes:
    """The facts as text, byte for byte the same for the same facts."""
    return json.dumps(facts, separators=(",", ":"), allow_nan=False).encode()


def pack(facts: Mapping[str, Any]) -> tuple[bytes, str]:
    """(packed text, SHA-256 of the text)."""
    text = canonical(facts)
    return zlib.compress(text, 6), hashlib.sha256(text).hexdigest()


def unpack(packed: bytes) -> dict[str, Any]:
    """The facts ``pack`` packed."""
    facts: dict[str, Any] = json.loads(zlib.decompress(packed))
    return facts


def pack_returns(returns: np.ndarray) -> bytes:
    """Daily returns, little-endian doubles, packed."""
    return zlib.compress(returns.astype("<f8").tobytes(), 6)


def unpack_returns(packed: bytes) -> np.ndarray:
    """What ``pack_returns`` packed."""
    return np.frombuffer(zlib.decompress(packed), "<f8")
