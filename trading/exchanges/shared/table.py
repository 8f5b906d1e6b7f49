"""A venue's table of pairs from the feed of this host, and from the venue where that has no young one."""

from collections.abc import Sequence
from typing import Any

import structlog

from trading.exchanges.failures import FAILS
from trading.exchanges.shared.dialect import YOUNG_SECONDS
from trading.exchanges.shared.link import FeedGone, SharedRest
from trading.exchanges.tables import OwnTable

log = structlog.get_logger(__name__)


class SharedTable:
    """What all engines of a host read, asked of the venue once."""

    def __init__(self, shared: SharedRest, *, own: OwnTable) -> None:
        self._shared, self._own = shared, own
        self._is_alone = False

    async def whole(self) -> Any:
        """All of it."""
        return await self.rows(())

    async def rows(self, symbols: Sequence[str]) -> Any:
        """The rows of these symbols; of none: all of it."""
        try:
            answer = await self._shared.young(
                self._own.path, symbols=symbols, within_seconds=YOUNG_SECONDS
            )
        except (*FAILS, FeedGone) as error:
            if not self._is_alone:  # one silence is told once
                log.warning("table_read_by_itself", why=str(error))
            self._is_alone = True
        else:
            self._is_alone = False
            return answer
        return await self._own.rows(symbols)

    async def close(self) -> None:
        """Hang up; the own client is its owner's to close."""
        await self._shared.close()
