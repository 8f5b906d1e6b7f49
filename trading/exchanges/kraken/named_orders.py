"""Orders by the names the venue gave them, and those of them that it does not know any more."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from trading.exchanges.forgotten import Forgotten
from trading.exchanges.kraken.errors import ApiError
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

GONE = {"status": "canceled", "vol_exec": "0"}
Read = Callable[..., Awaitable[Any]]
Facts = Mapping[str, Any]


@dataclass(slots=True)
class NamedOrders:
    """Asks for one account's orders."""

    clock: VenueClock
    _forgotten: Forgotten = field(init=False)

    def __post_init__(self) -> None:
        self._forgotten = Forgotten(self.clock)

    async def ask(self, read: Read, names: Sequence[str]) -> Mapping[str, Facts]:
        """How each stands; what no list of the venue's knows any more is over.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had, or a list may know one yet.
        """
        found = await self._query(read, names)
        unknown = [name for name in names if name not in found]
        self._forgotten.check(known=found, unknown=unknown)
        if not unknown:
            return found
        resting: Mapping[str, Facts] = (await read("OpenOrders", trades="true"))["open"]
        for name in set(unknown) - resting.keys():
            log.error("order_forgotten", order=name)
        return {**found, **{name: resting.get(name, GONE) for name in unknown}}

    async def _query(self, read: Read, names: Sequence[str]) -> Mapping[str, Facts]:
        """Those it knows: it refuses to speak of any where it does not know one."""
        try:
            found: Mapping[str, Facts] = await read(
                "QueryOrders", txid=",".join(names), trades="true"
            )
        except ApiError as error:
            if not error.is_gone:
                raise
            alone = [await self._query(read, [name]) for name in names if len(names) > 1]
            return {name: told for one in alone for name, told in one.items()}
        return found
