"""EngineCommand reader: implements ports.Inbox over the ledger's thread."""

from collections.abc import Sequence

from trading.engine.messages import Command
from trading.ledger.writer import DjangoLedger

UNFINISHED = (
    "SELECT id, kind, reason FROM trading_enginecommand"
    " WHERE engine_id = %s AND finished_at IS NULL ORDER BY requested_at, id"
)


class CommandInbox:
    """Unfinished commands of one engine."""

    def __init__(self, *, ledger: DjangoLedger, engine_id: str) -> None:
        self._ledger = ledger
        self._engine_id = engine_id

    async def unfinished(self) -> Sequence[Command]:
        """Commands not yet finished, oldest first."""
        rows = await self._ledger.look(UNFINISHED, [self._engine_id])
        return [Command(id=str(id_), kind=kind, reason=reason) for id_, kind, reason in rows]
