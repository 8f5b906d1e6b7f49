"""Orders over the private socket: a request, and the one answer that carries its number."""

import asyncio
from collections.abc import Mapping
from itertools import count
from typing import Any

import structlog
from websockets.exceptions import WebSocketException

from trading.exchanges.kraken import frames
from trading.exchanges.kraken.errors import BAD_TOKEN, ApiError, NoAnswer, Unreached
from trading.exchanges.sockets import Frame, Line

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 10.0
BEHIND_SECONDS = 3.0  # heartbeats come every second
FIRST_NUMBER = 1_000_001  # subscriptions count from one
ASKS = ("add_order", "amend_order", "cancel_order")


class SocketRoad:
    """The road of one account; numbers are never used twice, so an answer that is late finds nobody."""

    def __init__(self, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._answer_seconds = answer_seconds
        self._numbers = count(FIRST_NUMBER)
        self._waiting: dict[int, asyncio.Future[Frame]] = {}
        self._line: Line | None = None
        self._token = ""
        self._is_trusted = False
        self._heard_at = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether it is up with a token, everything missed was caught up with, and frames keep coming."""
        if self._line is None or not self._is_trusted or not self._line.is_open:
            return False
        return asyncio.get_running_loop().time() - self._heard_at < BEHIND_SECONDS

    @property
    def awaits_answer(self) -> bool:
        """Whether a request is on its way."""
        return any(not answer.done() for answer in self._waiting.values())

    def open(self, line: Line) -> None:
        """A connection is there; not to be used yet."""
        self._line, self._is_trusted = line, False

    def trust(self, token: str) -> None:
        """The private channel is up on it, and nothing is missing."""
        self._token, self._is_trusted = token, True

    def distrust(self) -> None:
        """Something is missing on it: nothing more is sent, answers may still come."""
        self._is_trusted = False

    def leave(self, reason: str) -> None:
        """The connection is gone: whoever waits will have no answer."""
        self._line, self._is_trusted = None, False
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(NoAnswer(reason))

    def hear(self, frame: Frame) -> bool:
        """A frame came; whether it is an answer, which whoever asked under its number gets, if anybody."""
        self._heard_at = asyncio.get_running_loop().time()
        if frame.get("method") not in ASKS:
            return False
        number = frame.get("req_id")
        answer = self._waiting.get(number) if isinstance(number, int) else None
        if answer is None or answer.done():
            log.warning("answer_to_nobody", method=frame["method"], req_id=number)
        else:
            answer.set_result(frame)
        return True

    async def add(self, params: Mapping[str, Any], *, symbol: str) -> str:
        """add_order; see ``Road``."""
        result = await self._ask("add_order", frames.add(params, symbol=symbol))
        return str(result.get("order_id") or "")

    async def amend(self, venue_id: str, params: Mapping[str, Any]) -> None:
        """amend_order; see ``Road``."""
        await self._ask("amend_order", frames.amend(params, venue_id=venue_id))

    async def cancel(self, venue_id: str) -> None:
        """cancel_order; see ``Road``."""
        await self._ask("cancel_order", {"order_id": [venue_id]})

    async def _ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        line = self._line
        if line is None or not line.is_open:
            raise Unreached("the socket is closed")
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        request = frames.encode(method, {**params, "token": self._token}, number=number)
        try:
            async with asyncio.timeout(self._answer_seconds):
                await line.send(request)
                told = await answer
        except TimeoutError:
            self._drop(line)  # what swallowed one answer is not to be trusted with another request
            raise NoAnswer(f"no answer to {method} in {self._answer_seconds:g} s") from None
        except (OSError, WebSocketException) as error:
            raise NoAnswer(f"no answer to {method}: {error}") from None
        finally:
            del self._waiting[number]
        return self._result(told, line)

    def _result(self, told: Frame, line: Line) -> Mapping[str, Any]:
        if told.get("success") is True:
            result = told.get("result")
            return result if isinstance(result, dict) else {}
        words = str(told.get("error") or "")
        if not words:
            raise NoAnswer("Kraken's answer cannot be read")
        if words.startswith(BAD_TOKEN):
            self._drop(line)  # the next connection brings another
        raise ApiError(words)

    def _drop(self, line: Line) -> None:
        if line is self._line:
            self.distrust()
        line.drop()
