"""EngineCommand reader: implements ports.Inbox over the ledger's thread."""

from collections.abc import Sequence

from trading.engine.messages import Command
from trading.ledger.writer import DjangoLedger
from trading.models import EngineCommand


class CommandInbox:
    """Unfinished commands of one engine."""

    def __init__(self, *, ledger: DjangoLedger, engine_id: str) -> None:
        self._ledger = ledger
        self._engine_id = engine_id

    async def unfinished(self) -> Sequence[Command]:
        """Commands not yet finished, oldest first."""
        return await self._ledger.call(self._read)

    def _read(self) -> list[Command]:
        stored = EngineCommand.objects.filter(engine_id=self._engine_id, finished_at=None).order_by(
            "requested_at", "id"
        )
        return [Command(id=str(c.id), kind=c.kind, reason=c.reason) for c in stored]
