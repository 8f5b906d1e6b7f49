"""What a shared feed must know of a venue's public protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trading.exchanges.public_rest import PublicRest
from trading.exchanges.sockets import Frame

YOUNG_SECONDS = (
    15.0  # of a table: with the time between two looks a change is known within a minute
)

Topic = tuple[str, int]  # a market by the venue's name, and the minutes of its candles where asked
Params = Mapping[str, str | int]


class NotShared(Exception):
    """Asked for what is no public market data, or for a market the venue does not list."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """When an answer may be told again: within seconds, or while candles of a length stay the same.

    The time is always asked for: an engine that knows an interval to be over must not hear an older one.
    """

    seconds: float = 0.0
    candle_ns: int = 0


class Dialect(Protocol):
    """One venue's; remembers what the present connection said."""

    async def open(self, rest: PublicRest) -> None:
        """Read which markets there are, once.

        Raises:
            ApiError, Unreached, NoAnswer: not now.
        """
        ...

    def topics(self, request: Frame) -> list[Topic]:
        """What an engine's request subscribes to.

        Raises:
            NotShared: not here.
        """
        ...

    def begin(self, topics: Sequence[Topic]) -> list[Frame]:
        """The first requests of a connection; what the last one said is forgotten."""
        ...

    def requests(self, topics: Sequence[Topic]) -> list[Frame]:
        """What subscribes to topics later."""
        ...

    def is_news(self, frame: Frame) -> bool:
        """Whether a frame is new.

        Raises:
            Broken: this connection cannot be used any more.
        """
        ...

    def asks(self, frame: Frame) -> list[Frame]:
        """What is sent because of a frame that is new."""
        ...

    def confirmed(self, frame: Frame) -> list[Topic]:
        """The topics that a frame confirms."""
        ...

    def parts(self, frame: Frame) -> list[tuple[Topic | None, Frame]]:
        """A frame for those who listen to each topic; None: for all."""
        ...

    def newest(self, topic: Topic) -> Frame | None:
        """What a connection of one's own would be told first."""
        ...

    def reuse(self, path: str, params: Params) -> Reuse:
        """When an answer may be told again.

        Raises:
            NotShared: it is no public market data.
        """
        ...

    def rows(self, table: Any, symbols: Sequence[str]) -> Any:
        """A table of pairs with the rows of these symbols alone.

        Raises:
            NotShared: it is another answer.
        """
        ...

    def time_ns(self, path: str, answer: object) -> int:
        """The venue's time in an answer; 0: it tells none."""
        ...
