"""A live engine takes up a new version of its account's key without a restart, and checks its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from tenants.models import ExchangeCredential
from trading.exchanges.failures import FAILS
from trading.operations.credentials import KeyReport, record_check
from trading.wiring.key_checks import Rest, ask_rights, ask_venue
from trading.wiring.keys import NoKey, OpenedKey, open_account_key

log = structlog.get_logger(__name__)

Call = Callable[[Callable[[], Any]], Awaitable[Any]]
State = ExchangeCredential.State
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 15.0


class KeyWatch:
    """Looks for a newer version; asks the venue about it before anything is signed with it.

    Until the venue has said that the new key may trade, the former one goes on: an exit must not
    fail because of a slip in a form. ``record_check`` holds entries meanwhile.
    """

    def __init__(self, *, account_id: UUID, venue: str, rest: Rest, version: int) -> None:
        self._account_id, self._venue, self._rest = account_id, venue, rest
        self._version = version
        self._refused = 0

    async def run(self, call: Call) -> None:
        """Until cancelled; ``call`` runs database work in the engine's own tenant's scope."""
        while True:
            try:
                await self.look(call)
            except (DatabaseError, InterfaceError, NoKey, *FAILS) as error:
                log.warning("new_key_not_taken_up", why=str(error))
                await asyncio.sleep(AGAIN_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, call: Call) -> None:
        """Take up a newer key, or check the present one where that was asked for.

        Raises:
            NoKey: it does not open. ApiError, Unreached, NoAnswer: the venue cannot be asked.
        """
        row: ExchangeCredential | None = await call(self._row)
        if row is None or row.state == State.DISABLED:
            return
        if row.version > self._version:
            # What was refused is looked at again when asked for, or once it was found good.
            if row.version != self._refused or row.check_asked_at or row.state == State.GOOD:
                await self._take_up(call)
        elif row.check_asked_at is not None:
            rights, problem = await ask_rights(self._rest)
            await self._record(call, row.id, row.version, rights, problem)

    async def _take_up(self, call: Call) -> None:
        opened: OpenedKey = await call(lambda: open_account_key(self._account_id))
        rights, problem = await ask_venue(self._venue, opened.key)
        await self._record(call, opened.credential_id, opened.version, rights, problem)
        if problem:
            self._refused = opened.version
            log.error("new_key_refused", version=opened.version, why=problem)
            return
        await self._rest.change_key(key=opened.key.key, secret=opened.key.secret)
        self._version = opened.version
        log.info("new_key_in_use", version=opened.version)

    async def _record(
        self, call: Call, credential_id: UUID, version: int, rights: frozenset[str], problem: str
    ) -> None:
        report = KeyReport(credential_id, version, sorted(rights), problem)
        await call(lambda: record_check(report, now=timezone.now()))

    def _row(self) -> ExchangeCredential | None:
        found: ExchangeCredential | None = ExchangeCredential.objects.filter(
            account_id=self._account_id
        ).first()
        return found
