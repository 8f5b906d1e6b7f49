"""Kraken's dead-man switch: takes untouched entries away when we die, and is never on over a stop.

It cancels every order of the account, stops too. It is ruled by REST alone, one request after the
other: nonces only grow, so an older request that comes late cannot turn it on again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

import structlog

from trading.core.codes import Purpose
from trading.engine.errors import NotSent
from trading.exchanges.failures import reading
from trading.exchanges.forgotten import LAG_NS
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.inquiry import DEADLINE_NS
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

NS = 1_000_000_000
METHOD = "CancelAllOrdersAfter"
TIMEOUT_SECONDS = 60
REFRESH_NS = 20 * NS
LOOK_SECONDS = 1.0
PLAIN = ("limit", "market", "iceberg")  # every other type waits for a price: somebody's stop


class Protection(Enum):
    """What guards an account while nobody looks after it."""

    STOPS = "STOPS"  # resting stops while holding; entries rest until they expire
    SWITCH = "SWITCH"  # the same, and the venue's switch while nothing but untouched entries rests


class SwitchState(Enum):
    """What is known of it; after a request without an answer, nothing."""

    OFF = "off"
    ON = "on"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class DeadMan:
    """The switch of one account."""

    rest: KrakenRest
    known: KnownOrders
    clock: VenueClock
    protection: Protection = Protection.STOPS
    state: SwitchState = SwitchState.UNKNOWN
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _set_ns: int = 0
    _stop_sent_ns: int = 0

    async def turn_off(self) -> None:
        """Whoever turned it on, if anybody.

        Raises:
            ApiError, Unreached, NoAnswer: it may be on.
        """
        async with self._turn:
            await self._set(0)

    @asynccontextmanager
    async def kept_off(self) -> AsyncIterator[None]:
        """Off before a stop is sent, and as long as that takes; from then on the stop keeps it off.

        Raises:
            NotSent: it may be on; a stop under it would not protect.
        """
        async with self._turn:
            if self.state is not SwitchState.OFF:
                try:
                    await self._set(0)
                except FAILS as error:
                    raise NotSent(f"the dead-man switch may be on: {error}") from None
            self._stop_sent_ns = self.clock.now_ns()
            yield

    @asynccontextmanager
    async def kept_on(self) -> AsyncIterator[None]:
        """On before an entry rests, where the account is to have it and nothing but entries works.

        Raises:
            NotSent: it should be on and is not.
        """
        if self.protection is not Protection.SWITCH or not self._is_quoting(of_none=True):
            yield
            return
        async with self._turn:
            try:
                await self._turn_on()
            except FAILS as error:
                raise NotSent(f"the dead-man switch cannot be set: {error}") from None
            yield

    async def keep(self, *, look_seconds: float = LOOK_SECONDS) -> None:
        """Refresh it while entries are quoted, turn it off when they are not, for ever."""
        while self.protection is Protection.SWITCH:
            await asyncio.sleep(look_seconds)
            try:
                await self.look_after()
            except FAILS as error:
                log.warning("dead_man_not_set", state=self.state.value, why=str(error))

    async def look_after(self) -> None:
        """What is due now.

        Raises:
            ApiError, Unreached, NoAnswer: it could not be done.
        """
        async with self._turn:
            is_quoting = self._is_quoting(of_none=False)
            if is_quoting and self.clock.now_ns() - self._set_ns >= REFRESH_NS:
                await self._turn_on()
            elif not is_quoting and self.state is not SwitchState.OFF:
                await self._set(0)

    def _is_quoting(self, *, of_none: bool) -> bool:
        """Whether all that works of ours are entries of which nothing has filled."""
        working = self.known.working()
        if not working:
            return of_none
        return all(o.order.purpose == Purpose.ENTRY and not o.filled_lots for o in working)

    async def _turn_on(self) -> None:
        """Never over a stop: neither one of ours that may not be listed yet, nor a customer's own."""
        self.rest.calls.insist("OpenOrders", METHOD)
        self._set_ns = self.clock.now_ns()
        if self.state is not SwitchState.ON:
            if self.clock.now_ns() - self._stop_sent_ns < DEADLINE_NS + LAG_NS:
                return
            with reading("Kraken's open orders"):
                listed = (await self.rest.read("OpenOrders"))["open"].values()
                if any(told["descr"]["ordertype"] not in PLAIN for told in listed):
                    return
        await self._set(TIMEOUT_SECONDS)

    async def _set(self, seconds: int) -> None:
        self.state, self._set_ns = SwitchState.UNKNOWN, self.clock.now_ns()
        await self.rest.act(METHOD, timeout=seconds)
        self.state = SwitchState.ON if seconds else SwitchState.OFF
