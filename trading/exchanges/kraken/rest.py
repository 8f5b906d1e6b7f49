"""Requests to Kraken's REST API; nothing that changes anything is ever sent twice by itself."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from trading.exchanges.clients import client_context
from trading.exchanges.kraken.call_rate import CallRate
from trading.exchanges.kraken.errors import ApiError, NoAnswer, Unreached
from trading.exchanges.kraken.sign import Nonces, signature

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
AGENT = {"User-Agent": "NovaPulse"}
READ_TRIES = 3
FIRST_PAUSE_SECONDS = 0.5
SHUT_OUT, SHUT_SECONDS = "EGeneral:Temporary lockout", 900.0
THROTTLED, PATIENCE_SECONDS = "EService:Throttled:", 10.0


def throttled_seconds(words: str, *, now: float) -> float:
    """How long the venue wants to be left alone, ten seconds at most; 0: it does not say."""
    until = words.removeprefix(THROTTLED).strip()
    if words == until or not until.isdecimal():
        return 0.0
    return min(max(0.0, int(until) - now), PATIENCE_SECONDS)


class KrakenRest:
    """One client; with a key private methods too, signed and sent one at a time."""

    def __init__(
        self,
        *,
        url: str,
        key: str = "",
        secret: str = "",
        read_number: Callable[[str], Any] = float,
        calls: CallRate | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, timeout=TIMEOUT, headers=AGENT, verify=client_context()
        )
        self._key, self._secret = key, secret
        self._decoder = msgspec.json.Decoder(float_hook=read_number)
        self.calls = calls or CallRate()
        self.nonces = Nonces()
        self._turn = asyncio.Lock()
        self._shut_until = float("-inf")

    async def change_key(self, *, key: str, secret: str) -> None:
        """Sign with another key from the next request on; numbers go on growing."""
        async with self._turn:
            self._key, self._secret = key, secret
            self._shut_until = float("-inf")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def public(self, method: str, /, **params: Any) -> Any:
        """The result of a public method; a read that fails in transport is tried again.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: still no answer.
        """
        return await self._patiently(lambda: self._get(method, params))

    async def read(self, method: str, **params: Any) -> Any:
        """The result of a private method that changes nothing; tried again like a public one.

        It waits until the rate of calls has room beside what protection may need.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: still no answer.
        """

        async def ask() -> Any:
            self._check_door()
            await self.calls.wait_for_room(method)
            return await self.act(method, **params)

        return await self._patiently(ask)

    def _check_door(self) -> None:
        """While the venue shuts a key out, each try makes it longer: what only reads does not try.

        Raises:
            Unreached: nothing was sent.
        """
        seconds = self._shut_until - time.monotonic()
        if seconds > 0:
            raise Unreached(f"Kraken shut this key out; it is asked again in {seconds:.0f} s")

    async def read_at_once(self, method: str, **params: Any) -> Any:
        """The same for what an exit cannot wait for.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: still no answer.
        """
        return await self._patiently(lambda: self.act(method, **params))

    async def act(self, method: str, **params: Any) -> Any:
        """The result of a private method, sent once.

        Raises:
            ApiError: the venue's words.
            Unreached: it never left.
            NoAnswer: it left; what became of it is not known.
        """
        path = f"/0/private/{method}"
        given = {name: str(value) for name, value in params.items() if value is not None}
        with self.calls.asking(method):
            return await self._sign_and_ask(path, given)

    async def _sign_and_ask(self, path: str, given: dict[str, str]) -> Any:
        async with self._turn:
            nonce = self.nonces.take()
            body = urlencode({"nonce": nonce, **given}).encode()
            signed = signature(path, nonce=nonce, body=body, secret=self._secret)
            headers = {
                "API-Key": self._key,
                "API-Sign": signed,
                "Content-Type": "application/x-www-form-urlencoded",
            }
            return await self._ask("POST", path, content=body, headers=headers)

    async def _get(self, method: str, params: dict[str, Any]) -> Any:
        return await self._ask("GET", f"/0/public/{method}", params=params)

    async def _patiently(self, ask: Any) -> Any:
        pause = FIRST_PAUSE_SECONDS
        for left in range(READ_TRIES - 1, -1, -1):
            try:
                return await ask()
            except (Unreached, NoAnswer):
                if not left:
                    raise
            except ApiError as error:
                if not left or not error.words.startswith(("EAPI:Invalid nonce", "EService:")):
                    raise
                pause = max(pause, throttled_seconds(error.words, now=time.time()))
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable")

    async def _ask(self, verb: str, path: str, **given: Any) -> Any:
        try:
            answer = await self._client.request(verb, path, **given)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreached(f"Kraken cannot be reached: {error or type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"no answer from Kraken: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise NoAnswer(f"Kraken answered HTTP {answer.status_code}")
        try:
            told = self._decoder.decode(answer.content)
            errors = [text for text in told["error"] if not text.startswith("W")]
        except (msgspec.DecodeError, KeyError, TypeError):
            raise NoAnswer("Kraken's answer cannot be read") from None
        if errors:
            if errors[0].startswith(SHUT_OUT):
                self._shut_until = time.monotonic() + SHUT_SECONDS
            raise ApiError("; ".join(errors))
        return told.get("result")
