"""Kraken's instrument channel: on which terms pairs trade, told as they change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trading.exchanges.sockets import Frame

CHANNEL = "instrument"
Rows = Sequence[Mapping[str, Any]]


def nobody(_: Rows) -> None:
    """Who trades no pair has no use for its terms."""


@dataclass(slots=True)
class Instruments:
    """From the connection of a feed to whoever trades its pairs."""

    tell: Callable[[Rows], None] = nobody


def request() -> Frame:
    """What subscribes; there is no asking for some pairs alone."""
    return {"method": "subscribe", "params": {"channel": CHANNEL}}


def rows_of(frame: Frame) -> Rows:
    """The pairs of a message."""
    told = frame.get("data")
    rows = told.get("pairs") if isinstance(told, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
