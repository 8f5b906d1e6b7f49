"""A live engine proves its books against the venue's once a day, with the client it signs with."""

import asyncio

import structlog
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from tenants.scoping import tenant_scope
from trading.exchanges.failures import FAILS
from trading.exchanges.statement import Statement, StatementTorn
from trading.wiring.directory import list_engines
from trading.wiring.key_checks import Rest
from trading.wiring.proofs import is_unproven, keep_proof, read_books

log = structlog.get_logger(__name__)

LOOK_SECONDS = 600.0


class ProofWatch:
    """One engine's daily proof, beside its trading and on a connection of its own."""

    def __init__(self, *, tenant_id: str, engine_id: str, rest: Rest) -> None:
        self._tenant_id, self._engine_id, self._rest = tenant_id, engine_id, rest

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (DatabaseError, InterfaceError, StatementTorn, *FAILS) as error:
                log.warning("books_not_proved", why=str(error))

    async def look(self) -> None:
        """Prove what was not proved for a day.

        Raises:
            ApiError, Unreached, NoAnswer, StatementTorn: the venue's books cannot be had.
        """
        if await asyncio.to_thread(self._is_due):
            statement = await read_books(self._rest)
            await asyncio.to_thread(self._keep, statement)

    def _is_due(self) -> bool:
        try:
            with tenant_scope(self._tenant_id):
                return is_unproven(self._engine_id, now=timezone.now())
        finally:
            connections.close_all()

    def _keep(self, statement: Statement) -> None:
        try:
            (mine,) = [one for one in list_engines() if one.engine_id == self._engine_id]
            proof = keep_proof(mine, statement, problem="", now=timezone.now())
        finally:
            connections.close_all()
        if not proof.holds:
            log.error("books_differ", differing=len(proof.differences))
