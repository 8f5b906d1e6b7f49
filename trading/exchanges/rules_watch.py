"""A venue's terms may change while it trades: they are read again, and entries wait where they do not fit."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from trading.engine.guards import RULES_OF
from trading.engine.messages import FeedChange, OrderRequest
from trading.exchanges.failures import FAILS, UNREADABLE

log = structlog.get_logger(__name__)

CHANNEL = "rules"
VENUE = ""  # in the place of a symbol: all of them
Whys = Mapping[str, str]  # why no position can be opened and left now, by symbol; empty: it can
LOOK_SECONDS = 45.0  # a change is known within a minute
OLDEST_SECONDS = 180.0  # nothing is entered on terms that could not be read for so long


class Rules(Protocol):
    """What a venue takes now."""

    def fit(self, order: OrderRequest) -> OrderRequest:
        """An order on its grid; of a market that was never listed as it is."""
        ...

    def verdicts(self) -> Whys:
        """As they were read last."""
        ...

    async def reload(self) -> Whys:
        """Read them.

        Raises:
            ApiError, Unreached, NoAnswer: they cannot be had.
        """
        ...


class Verdicts:
    """Tells whose entries wait: each pair's own, or all; only what is another word than the last."""

    def __init__(self, tell: Callable[[FeedChange], None]) -> None:
        self._tell, self._told = tell, dict[str, str]()
        self._unread = ""  # why they are not known, for as long as nobody reads them

    def read(self, found: Whys) -> None:
        """As all of the venue's terms are now."""
        self._unread = ""
        self.give(found)

    def give(self, found: Whys) -> None:
        """As some of them are; what is not named is as it was, and what cannot be read stays so."""
        for symbol, why in found.items():
            self._say(symbol, why or (self._unread if symbol == VENUE else ""))

    def miss(self, reason: str) -> None:
        """They could not be read for long: all entries wait."""
        self._unread = reason
        self._say(VENUE, reason)

    def _say(self, symbol: str, why: str) -> None:
        if self._told.get(symbol) != why:
            self._told[symbol] = why
            channel = f"{RULES_OF}{symbol}" if symbol else CHANNEL
            reason = why or "the venue's terms fit again"
            self._tell(FeedChange(channel, is_up=not why, reason=reason))


async def heed(rules: Rules, verdicts: Verdicts) -> None:
    """Look again and again, for ever; they were read just before, of which what binds is told first."""
    verdicts.give({symbol: why for symbol, why in rules.verdicts().items() if why})
    loop = asyncio.get_running_loop()
    read_at = loop.time()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            found = await rules.reload()
        except (*FAILS, *UNREADABLE) as error:  # what was known goes on for a while
            log.warning("terms_not_read", why=repr(error))
            age = loop.time() - read_at
            if age >= OLDEST_SECONDS:
                reason = f"the venue's terms could not be read for {age:.0f} s: {error!r}"
                verdicts.miss(reason)
        else:
            read_at = loop.time()
            verdicts.read(found)
