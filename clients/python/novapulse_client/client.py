"""The client: one method for each thing a program asks of an installation."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, TypedDict, TypeVar, Unpack
from uuid import UUID

from novapulse_client.base import Page
from novapulse_client.decisions import Decision, Explained, Thought
from novapulse_client.ledger import Fill, Order, Position, Trade
from novapulse_client.models import Bot, Command, Revision, Run, Status
from novapulse_client.wire import Wire

ROWS_AT_ONCE = 200
T = TypeVar("T")


class Wanted(TypedDict, total=False):
    """What a list is narrowed to; ``since`` is included, ``until`` is not."""

    account: UUID | str
    bot: UUID | str
    pair: str
    since: datetime | str
    until: datetime | str


class WantedDecisions(Wanted, total=False):
    """The same, and where a decision ended."""

    stage: str
    reason: str


class WantedPositions(Wanted, total=False):
    """The same; ``state`` is ``open`` or ``closed``."""

    state: str


class Client:
    """One installation under one key; use it in a ``with``, or close it.

    Every method raises ``NovaPulseError`` when it is refused or there is no answer.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = Wire(base_url, api_key, timeout=timeout, sleep=sleep)
        self._sleep = sleep

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._wire.close()

    def status(self) -> Status:
        """Engines, holds, positions and equity."""
        return self._wire.get("/status", Status)

    def decisions(self, **wanted: Unpack[WantedDecisions]) -> Iterator[Decision]:
        """Decisions, newest first, also those that were no."""
        return self._list("/decisions", Page[Decision], wanted)

    def decision(self, number: int) -> Explained:
        """One decision gate by gate."""
        return self._wire.get(f"/decisions/{number}", Explained)

    def thoughts(self, **wanted: Unpack[WantedDecisions]) -> Iterator[Thought]:
        """What was thought on each bar, newest first."""
        return self._list("/thoughts", Page[Thought], wanted)

    def orders(self, **wanted: Unpack[Wanted]) -> Iterator[Order]:
        """Orders, newest first."""
        return self._list("/orders", Page[Order], wanted)

    def fills(self, **wanted: Unpack[Wanted]) -> Iterator[Fill]:
        """Fills, newest first."""
        return self._list("/fills", Page[Fill], wanted)

    def positions(self, **wanted: Unpack[WantedPositions]) -> Iterator[Position]:
        """Positions, open and closed, the newest opened first."""
        return self._list("/positions", Page[Position], wanted)

    def trades(self, **wanted: Unpack[Wanted]) -> Iterator[Trade]:
        """Round trips, the newest closed first."""
        return self._list("/trades", Page[Trade], wanted)

    def bots(self) -> list[Bot]:
        """Every bot."""
        return self._wire.get("/bots", Page[Bot]).items

    def revisions(self, bot: UUID | str) -> Iterator[Revision]:
        """A bot's revisions, newest first."""
        return self._list(f"/bots/{bot}/revisions", Page[Revision], {})

    def change_bot(
        self, bot: UUID | str, params: Mapping[str, Any], *, based_on: int | None = None
    ) -> Revision:
        """Make a revision with these parameters changed; ``wait`` tells that it only is proposed.

        Args:
            based_on: the revision you looked at; refused with 412 when it is not in force any more.
                Without it: the one in force now.
        """
        path = f"/bots/{bot}"
        tag = self._wire.tag_of(path) if based_on is None else f'"r{based_on}"'
        body = {"params": dict(params)}
        return self._wire.post(f"{path}/revisions", body, Revision, {"If-Match": tag})

    def pause(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """No new entries; exits and stops keep running."""
        return self._command("pause", engine, reason)

    def resume(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """Entries again."""
        return self._command("resume", engine, reason)

    def close_all(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """Close every position at the next price, and pause."""
        return self._command("close_all", engine, reason)

    def command(self, command: UUID | str) -> Command:
        """What became of a command."""
        return self._wire.get(f"/commands/{command}", Command)

    def backtest(self, pairs: Sequence[str], **options: Any) -> Run:
        """Ask for a backtest; ``options`` are those of ``POST /backtest/run``."""
        return self._wire.post("/backtest/run", {"pairs": list(pairs), **options}, Run)

    def run(self, number: int) -> Run:
        """How far a run of research is."""
        return self._wire.get(f"/backtest/runs/{number}", Run)

    def wait_for_run(self, number: int, *, seconds: float = 600.0, every: float = 1.0) -> Run:
        """The run once it has ended, however it ended.

        Raises:
            TimeoutError: it is still going after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while not (run := self.run(number)).has_ended:
            if time.monotonic() >= deadline:
                raise TimeoutError(f"run {number} is {run.status.lower()} after {seconds:g} s")
            self._sleep(every)
        return run

    def result(self, number: int) -> dict[str, Any]:
        """The whole result of a run, trades included."""
        return self._wire.get(f"/backtest/runs/{number}/result", dict[str, Any])

    def _command(self, act: str, engine: UUID | str | None, reason: str) -> Command:
        body = {"reason": reason} | ({} if engine is None else {"engine": str(engine)})
        return self._wire.post(f"/control/{act}", body, Command)

    def _list(self, path: str, page: type[Page[T]], wanted: Mapping[str, Any]) -> Iterator[T]:
        query = {"limit": str(ROWS_AT_ONCE), **{k: _text(k, v) for k, v in wanted.items()}}
        while True:
            found = self._wire.get(path, page, query)
            yield from found.items
            if found.next is None:
                return
            query["cursor"] = found.next


def _text(name: str, value: Any) -> str:
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise ValueError(f"{name}: a datetime with a time zone, was {value.isoformat()}")
    return value.isoformat()
