"""What a market feed asks of a venue's REST, whoever carries it."""

from typing import Any, Protocol


class PublicRest(Protocol):
    """Public reads only."""

    async def public(self, path: str, /, **params: Any) -> Any:
        """The answer.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: no answer.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
