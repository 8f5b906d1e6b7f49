"""A venue's terms may change while it trades: they are read again, and entries wait where they do not fit."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from trading.engine.messages import FeedChange, OrderRequest
from trading.exchanges.failures import FAILS, UNREADABLE

log = structlog.get_logger(__name__)

CHANNEL = "rules"
LOOK_SECONDS = 45.0  # a change is known within a minute
OLDEST_SECONDS = 180.0  # nothing is entered on terms that could not be read for so long


class Rules(Protocol):
    """What a venue takes now."""

    def fit(self, order: OrderRequest) -> OrderRequest:
        """An order on its grid."""
        ...

    async def reload(self) -> str:
        """Read them; why no position can be opened and left now, empty where one can.

        Raises:
            ApiError, Unreached, NoAnswer: they cannot be had.
        """
        ...


def verdict(why: str) -> FeedChange:
    """Whether entries wait."""
    return FeedChange(CHANNEL, is_up=not why, reason=why or "the venue's terms fit again")


async def heed(rules: Rules, tell: Callable[[FeedChange], None]) -> None:
    """Look again and again, for ever; they were read just before."""
    loop = asyncio.get_running_loop()
    read_at = loop.time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            why = await rules.reload()
        except (*FAILS, *UNREADABLE) as error:  # what was known goes on for a while
            log.warning("terms_not_read", why=repr(error))
            age = loop.time() - read_at
            if age >= OLDEST_SECONDS:
                reason = f"the venue's terms could not be read for {age:.0f} s: {error!r}"
                tell(FeedChange(CHANNEL, is_up=False, reason=reason))
        else:
            read_at = loop.time()
            tell(verdict(why))
