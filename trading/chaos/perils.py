"""Where an engine may die: named points on an order's way, and wrappers of its ports that meet them."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from trading.core.codes import Purpose
from trading.engine.batches import Evidence, LedgerBatch
from trading.engine.handler import Ports
from trading.engine.messages import OrderRequest

IN_FLIGHT_SECONDS = 0.02
POINTS = (
    "before_commit",  # decided; nothing is written
    "after_commit",  # written; nothing is sent
    "in_flight",  # sent; no answer has come, or none was read
    "after_answer",  # answered; the answer is not written
    "before_news_commit",  # a fill was heard; it is not booked
    "after_news_commit",  # booked; what follows from it is not sent
    "before_lookup",
    "after_lookup",
    "after_resume",
)
PART_POINTS = (
    "stop_in_flight",  # of the parts of an order's life: a first stop is on its way
    "after_stop",  # it rests; nobody has written that
    "move_in_flight",  # a stop is being moved
    "after_move",
    "before_exit",  # an exit is written; its stop rests
    "exit_in_flight",  # the stop goes, and the exit is on its way
    "after_exit",  # it has sold, or will; nobody has written that
    "before_sale_commit",  # what was sold was heard; it is not booked
    "before_adopt",  # the journal was read; no order is known yet
)
COMMAND_POINTS = ("before_command_commit", "after_command_commit")  # a person's, carried out

PARTS = {
    Purpose.ENTRY: "entry",
    Purpose.PROTECT: "stop",
    Purpose.MOVE_STOP: "move",
    Purpose.REDUCE: "exit",
    Purpose.EXIT: "exit",
}


@dataclass
class Peril:
    """Dies, or hangs, when a point is met for the n-th time."""

    point: str
    nth: int
    signal_number: int = signal.SIGKILL
    in_flight_seconds: float = 0.001

    def meet(self, point: str) -> None:
        """Pass a point, if that is granted."""
        if point != self.point:
            return
        self.nth -= 1
        if self.nth == 0:
            self.strike()

    def embark(self, point: str) -> None:
        """Begin a way on which it may be met a little later, wherever one is then."""
        if point != self.point:
            return
        self.nth -= 1
        if self.nth == 0:
            asyncio.get_running_loop().call_later(self.in_flight_seconds, self.strike)

    def strike(self) -> None:
        """Now."""
        os.kill(os.getpid(), self.signal_number)

    def around(self, ports: Ports) -> Ports:
        """The same ports with the points on them."""
        return replace(ports, venue=_Venue(ports.venue, self), ledger=_Ledger(ports.ledger, self))


class _Around:
    """Everything of another object, but for what is overridden."""

    def __init__(self, inner: Any, peril: Peril) -> None:
        self._inner, self._peril = inner, peril

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Ledger(_Around):
    async def commit(self, batch: LedgerBatch) -> None:
        written = {
            "commit": batch.intents,
            "news_commit": batch.fills,
            "sale_commit": [one for one in batch.fills if one.purpose != Purpose.ENTRY],
            "command_commit": batch.commands,
        }
        names = [name for name, rows in written.items() if rows]
        for name in names:
            self._peril.meet(f"before_{name}")
        await self._inner.commit(batch)
        for name in names:
            self._peril.meet(f"after_{name}")


class _Venue(_Around):
    def adopt(self, **given: Any) -> None:
        self._peril.meet("before_adopt")
        self._inner.adopt(**given)

    async def submit(self, order: OrderRequest) -> str:
        part = PARTS[order.purpose]
        self._peril.meet(f"before_{part}")
        self._peril.embark("in_flight")
        self._peril.embark(f"{part}_in_flight")
        answer: str = await self._inner.submit(order)
        self._peril.meet("after_answer")
        self._peril.meet(f"after_{part}")
        return answer

    async def lookup(self, order: OrderRequest) -> Evidence:
        self._peril.meet("before_lookup")
        evidence: Evidence = await self._inner.lookup(order)
        self._peril.meet("after_lookup")
        return evidence

    def messages(self, **given: Any) -> Any:
        self._peril.meet("after_resume")
        return self._inner.messages(**given)


Around = Callable[[Ports], Ports]
