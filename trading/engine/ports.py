"""Protocols the engine is driven through: MarketFeed, Venue, Ledger, Inbox, Lease, EventSink, Clock."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from trading.engine.batches import EngineState, Evidence, LedgerBatch, OpenIntent
from trading.engine.messages import Command, FillReport, Message, News, OrderRequest
from trading.engine.sights import Sight, VenueOrder


class Clock(Protocol):
    """The engine's only source of time."""

    def now_ns(self) -> int:
        """Wall time, nanoseconds UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        ...


class MarketFeed(Protocol):
    """Closed bars of all markets, in (open time, market) order, and whether they keep coming."""

    def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        """Bars that opened after ``after_ns[market]`` (absent or 0: from the beginning)."""
        ...

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last ``count`` bars (dtype BAR) that opened before ``before_ns``, oldest first."""
        ...

    async def close(self) -> None:
        """Give back whatever it holds."""
        ...


class Venue(Protocol):
    """Where orders go and news comes from, in one order of events."""

    has_account: bool  # where others act too; a paper book is ours alone

    def adopt(self, *, intents: Sequence[OpenIntent], booked_trades: frozenset[str]) -> None:
        """Take over what an earlier leader knew: orders, and the trades that are booked."""
        ...

    def time_ns(self) -> int:
        """The venue's time, nanoseconds UTC; 0 where bars alone carry time."""
        ...

    def messages(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[Message]:
        """News as it happens; the next is produced only after the last was handled."""
        ...

    def booked(self, report: FillReport) -> None:
        """The core counts with this news from now on; nothing was sent since it was told to it."""
        ...

    async def submit(self, order: OrderRequest) -> str:
        """Place an order and return the venue's order id.

        Raises:
            Refused: the venue said no.
            NotSent: nothing left.
            OutcomeUnknown: it left, without a clear answer.
        """
        ...

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order; False when the venue has no such order working."""
        ...

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What became of an order whose outcome is not clear; never raises, UNDECIDED at worst."""
        ...

    async def look(self) -> Sight:
        """How the whole account stands, and whose orders rest there.

        Raises:
            NoSight: the venue does not say.
        """
        ...

    async def list_orders(self, *, since_ns: int) -> Sequence[VenueOrder]:
        """Every order of the account that is open, or ended since then.

        Raises:
            NoSight: the venue does not say.
        """
        ...

    def snapshot(self) -> bytes:
        """What a paper venue must remember; empty for a real one."""
        ...

    def restore(self, state: bytes) -> None:
        """Take back what ``snapshot`` gave."""
        ...


class Ledger(Protocol):
    """The journal: everything of one event in one fenced transaction."""

    async def load(self) -> EngineState:
        """State, open intents and holds as last committed."""
        ...

    async def commit(self, batch: LedgerBatch) -> None:
        """Write all of the batch or nothing.

        Raises:
            NotLeader: the epoch is no longer ours; nothing was written.
        """
        ...


class Inbox(Protocol):
    """Commands of people, as rows."""

    async def unfinished(self) -> Sequence[Command]:
        """Commands not yet finished, oldest first."""
        ...


class Lease(Protocol):
    """Leadership of one engine."""

    @property
    def epoch(self) -> int:
        """The fence of this leadership."""
        ...

    def is_held(self) -> bool:
        """Whether we may still act, on our own monotonic clock."""
        ...

    async def acquire(self) -> None:
        """Wait until this process leads."""
        ...

    async def keep(self) -> None:
        """Renew until lost; returns when leadership is gone."""
        ...

    async def report(self, *, observed: str, detail: str) -> None:
        """Say how this leadership ends; silent when it is no longer ours to say."""
        ...

    async def release(self) -> None:
        """Give leadership back."""
        ...


class EventSink(Protocol):
    """Live values for the pages; lossy, never raises, never waits."""

    def publish(self, key: str, value: Mapping[str, Any]) -> None:
        """Replace the latest full value of ``key``."""
        ...
