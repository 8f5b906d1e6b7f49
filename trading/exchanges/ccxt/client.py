"""One venue asked through ccxt, which is imported when the first one is opened."""

import importlib
import time
from collections.abc import Awaitable, Callable, Sequence
from difflib import get_close_matches
from typing import Any

from trading.exchanges.ccxt.names import Market, choose, read_markets
from trading.exchanges.failures import UNREADABLE, ApiError, NoAnswer

NS_PER_MS = 1_000_000
MOST_WORDS = 200


class CannotOpen(Exception):
    """ccxt is not there, or does not know the venue; the text says what to do."""


class TooManyRequests(ApiError):
    """The venue wants fewer of them."""


def is_too_many(error: ApiError) -> bool:
    """Whether the venue wants fewer requests."""
    return isinstance(error, TooManyRequests)


class CcxtClient:
    """Public market data of one venue; ccxt keeps the venue's pace."""

    def __init__(self, api: Any, words: Any) -> None:
        self.api = api  # a ccxt exchange; it has no types
        self._words = words  # ccxt, for its errors
        self.name = str(api.name)

    async def time_ns(self) -> int:
        """The venue's time; ours where it does not tell any.

        Raises:
            ApiError, NoAnswer: it cannot be had.
        """
        if not self.api.has.get("fetchTime"):
            return time.time_ns()
        return int(await self._ask(self.api.fetch_time)) * NS_PER_MS

    async def market(self, symbol: str) -> Market:
        """What the venue says of a spot pair.

        Raises:
            UnknownMarket: it is not listed. ApiError, NoAnswer: no answer.
        """
        listed = read_markets(
            await self._ask(self.api.load_markets), precision=int(self.api.precisionMode)
        )
        return choose(listed, symbol, venue=self.name)

    def check_timeframe(self, timeframe: str) -> None:
        """Refuse what the venue has no candles of.

        Raises:
            ValueError: the text names what it has.
        """
        known = self.api.timeframes or {}
        if not self.api.has.get("fetchOHLCV") or timeframe not in known:
            raise ValueError(
                f"timeframe {timeframe}: {self.name} has {', '.join(known) or 'no candles'}"
            )

    async def candles(
        self, symbol: str, timeframe: str, *, since_ns: int, most: int
    ) -> Sequence[Any]:
        """Rows of (ms, open, high, low, close, volume), in whatever order and number they come.

        Raises:
            ApiError, NoAnswer: no answer.
        """
        told = await self._ask(
            lambda: self.api.fetch_ohlcv(symbol, timeframe, since_ns // NS_PER_MS, most)
        )
        return told if isinstance(told, list) else []

    async def close(self) -> None:
        """Close the connections."""
        await self.api.close()

    async def _ask(self, request: Callable[[], Awaitable[Any]]) -> Any:
        words = self._words
        try:
            return await request()
        except (words.RateLimitExceeded, words.DDoSProtection) as error:
            raise TooManyRequests(_text(error)) from None
        except words.NetworkError as error:
            raise NoAnswer(f"no answer from {self.name}: {_text(error)}") from None
        except words.BaseError as error:
            raise ApiError(_text(error)) from None
        except UNREADABLE as error:
            raise NoAnswer(f"{self.name}'s answer cannot be read: {_text(error)}") from None


def open_client(venue: str) -> CcxtClient:
    """The client of ``ccxt:<id>``.

    Raises:
        CannotOpen: ccxt is not installed, or has no such id.
    """
    name = venue.removeprefix("ccxt:")
    try:
        words = importlib.import_module("ccxt.async_support")  # optional, large and slow to import
    except ImportError:
        raise CannotOpen(
            f"{venue} needs ccxt, which is not installed: pip install -r requirements/ccxt.txt"
        ) from None
    if name not in words.exchanges:
        near = get_close_matches(name, words.exchanges, 3)
        hint = f"; near are {', '.join(near)}" if near else ""
        raise CannotOpen(f"exchange {venue!r}: ccxt does not know it{hint}")
    api = getattr(words, name)({"enableRateLimit": True})
    return CcxtClient(api, words)


def _text(error: BaseException) -> str:
    """The first line of an error; what comes after it is the venue's page."""
    return (str(error) or type(error).__name__).splitlines()[0][:MOST_WORDS]
