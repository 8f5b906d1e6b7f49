"""Requests to Coinbase's REST API; nothing that changes anything is ever sent twice by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from trading.exchanges.clients import client_context
from trading.exchanges.coinbase.call_rate import PATIENCE_SECONDS, CallRate, wait_seconds
from trading.exchanges.coinbase.errors import (
    OK,
    TOO_MANY,
    UNAUTHORIZED,
    ApiError,
    NoAnswer,
    Unreached,
    http_error,
)
from trading.exchanges.coinbase.sign import Signer, uri_of
from trading.exchanges.venue_clock import VenueClock

NS, NS_PER_MS = 1_000_000_000, 1_000_000
NEVER_NS = 2**63
ACT_NS = 10 * NS  # how long the token of an act is valid: the venue knows no other deadline
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
HEADERS = {"User-Agent": "NovaPulse", "Cache-Control": "no-cache"}  # else answers are a second old
READ_TRIES = 3
FIRST_PAUSE_SECONDS = 0.5


Hear = Callable[[Mapping[str, str]], None]


def _unheard(headers: Mapping[str, str]) -> None:
    """What is said of the rate of an address, which nobody here counts."""


class CoinbaseRest:
    """One client; with a signer private paths, too. ``clock`` gives the time of its tokens."""

    def __init__(
        self,
        *,
        url: str,
        clock: VenueClock,
        signer: Signer | None = None,
        calls: CallRate | None = None,
    ) -> None:
        self.calls = calls or CallRate()
        self._client = httpx.AsyncClient(
            base_url=url, timeout=TIMEOUT, headers=HEADERS, verify=client_context()
        )
        self._clock, self._signer = clock, signer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def change_key(self, *, key: str, secret: str) -> None:
        """Sign with another key from the next request on.

        Raises:
            UnusableKey: it cannot sign; the former one goes on.
        """
        self._signer = Signer(name=key, secret=secret)

    async def time_ns(self) -> int:
        """The venue's time, which the clock hears.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        now_ns = read_time_ns(await self.public("/time"))
        self._clock.hear(now_ns)
        return now_ns

    async def public(self, path: str, /, **params: Any) -> Any:
        """The answer of a public path; a read that fails in transport is tried again.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: still no answer.
        """
        return await self._patiently(lambda: self._ask("GET", path, params=params))

    async def read(self, path: str, **params: Any) -> Any:
        """The answer of a private path that changes nothing; tried again like a public one.

        It waits until the rate of requests has room beside what protection may need.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: still no answer.
        """

        async def ask() -> Any:
            await self.calls.wait_for_room()
            return await self._ask_signed("GET", path, params=params)

        return await self._patiently(ask)

    async def read_at_once(self, path: str, **params: Any) -> Any:
        """The same for what an exit or a stop cannot wait for.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: still no answer.
        """
        return await self._patiently(lambda: self._ask_signed("GET", path, params=params))

    async def act(self, path: str, body: dict[str, Any], *, until_ns: int = 0) -> Any:
        """The answer of a private path, sent once; the venue takes it for ten seconds, or ``until_ns``.

        Raises:
            ApiError: the venue's words.
            Unreached: it never left.
            NoAnswer: it left; what became of it is not known.
        """
        return await self._ask_signed("POST", path, until_ns=until_ns or NEVER_NS, json=body)

    def token(self, uri: str = "", *, until_ns: int = 0) -> str:
        """A token for one request, or without ``uri`` for one message of a WebSocket.

        With ``until_ns`` it is one of an act: valid until then, or for ten seconds.

        Raises:
            Unreached: ``until_ns`` has passed.
        """
        if self._signer is None:
            raise AssertionError("a private request of a client without a key")
        now_ns = self._clock.now_ns()
        until_ns = min(until_ns, now_ns + ACT_NS)
        if until_ns and now_ns // NS >= until_ns // NS:
            raise Unreached("it would leave too late")
        return self._signer.token(now_s=now_ns // NS, uri=uri, until_s=until_ns // NS)

    async def _ask_signed(self, verb: str, path: str, *, until_ns: int = 0, **given: Any) -> Any:
        """A token that is refused did nothing: with a fresh clock another is made, once."""
        try:
            return await self._send_signed(verb, path, until_ns, given)
        except ApiError as error:
            if error.status != UNAUTHORIZED:
                raise
        await self.time_ns()
        return await self._send_signed(verb, path, until_ns, given)

    async def _send_signed(self, verb: str, path: str, until_ns: int, given: dict[str, Any]) -> Any:
        await self.calls.wait_for_turn()
        token = self.token(uri_of(verb, path), until_ns=until_ns)
        bearer = {"Authorization": f"Bearer {token}"}
        with self.calls.asking():
            return await self._ask(verb, path, hear=self.calls.hear, headers=bearer, **given)

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        pause = FIRST_PAUSE_SECONDS
        for left in range(READ_TRIES - 1, -1, -1):
            try:
                return await ask()
            except (Unreached, NoAnswer):
                if not left:
                    raise
            except ApiError as error:
                if not left or error.status != TOO_MANY:
                    raise
                pause = max(pause, min(error.wait_seconds, PATIENCE_SECONDS))
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable")

    async def _ask(self, verb: str, path: str, *, hear: Hear = _unheard, **given: Any) -> Any:
        try:
            answer = await self._client.request(verb, path, **given)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreached(
                f"Coinbase cannot be reached: {error or type(error).__name__}"
            ) from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"no answer from Coinbase: {type(error).__name__}") from None
        hear(answer.headers)
        if answer.status_code != OK:
            told = _decoded(answer, otherwise=answer.text)
            wait = wait_seconds(answer.headers)
            raise http_error(answer.status_code, told, wait_seconds=wait)
        told = _decoded(answer, otherwise=None)
        if not isinstance(told, dict):
            raise NoAnswer("Coinbase's answer cannot be read")
        return told


def _decoded(answer: httpx.Response, *, otherwise: Any) -> Any:
    try:
        return msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return otherwise


def read_time_ns(told: Any) -> int:
    """The time of an answer of ``/time``.

    Raises:
        NoAnswer: it cannot be read.
    """
    try:
        return int(told["epochMillis"]) * NS_PER_MS
    except (KeyError, TypeError, ValueError):
        raise NoAnswer("Coinbase's time cannot be read") from None


def segment(name: str) -> str:
    """An id as a part of a path."""
    return quote(name, safe="")
