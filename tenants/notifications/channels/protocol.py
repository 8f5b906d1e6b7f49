"""Channel: how a message reaches a recipient. A new one is a module and a line in the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class SendFailed(Exception):
    """It was not delivered; ``is_final`` when trying again cannot help."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Message:
    """What is told; ``delivery`` is the same for every try, so that a receiver knows a copy."""

    delivery: str
    attempt: int
    repeats: int
    kind: str
    severity: str
    title: str
    words: str
    link: str
    workspace: str
    happened_at: datetime

    def told(self) -> Mapping[str, Any]:
        """For programs."""
        return {
            "id": self.delivery,
            "kind": self.kind,
            "severity": self.severity,
            "title": self.title,
            "words": self.words,
            "link": self.link,
            "workspace": self.workspace,
            "happened_at": self.happened_at.isoformat(),
            "happened_at_ms": round(self.happened_at.timestamp() * 1000),
        }


Send = Callable[[Message], None]


class Channel(Protocol):
    """Looks a recipient up inside the workspace's scope; sends outside of any transaction."""

    def reach(self, recipient: str) -> Send:
        """What sends to this recipient.

        Raises:
            SendFailed: there is no such recipient any more. What is returned raises it too.
        """
        ...
