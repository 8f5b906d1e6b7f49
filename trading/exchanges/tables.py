"""A venue's table of pairs, as its REST tells it, whoever carries it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trading.exchanges.public_rest import PublicRest


class Table(Protocol):
    """What a venue lists, and on which terms."""

    async def whole(self) -> Any:
        """All of it, in the venue's words.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        ...

    async def rows(self, symbols: Sequence[str]) -> Any:
        """The same with at least the rows of these symbols that are listed.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class OwnTable:
    """Read from the venue by ourselves."""

    rest: PublicRest
    path: str

    async def whole(self) -> Any:
        """All of it."""
        return await self.rest.public(self.path)

    async def rows(self, symbols: Sequence[str]) -> Any:
        """All of it: the venue refuses a question that names a symbol it does not list."""
        return await self.whole()
