"""Coinbase's past: its candles, window by window; days without a trade are passed over."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any

import numpy as np

from trading.core.records import BAR
from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.candles import granularity_of, rest_candles
from trading.exchanges.coinbase.errors import TOO_MANY
from trading.exchanges.coinbase.errors import ApiError as CoinbaseError
from trading.exchanges.coinbase.rest import CoinbaseRest, segment
from trading.exchanges.failures import ApiError
from trading.exchanges.pacing import Pacer
from trading.marketdata.download import Listing, Page, Span, joined
from trading.marketdata.store import FOREVER

NS = 1_000_000_000
DAY_NS = 86_400 * NS
SETTLE_NS = 2 * NS
WINDOW = 300  # intervals asked for at once; the venue gives at most 350


def is_too_many(error: ApiError) -> bool:
    """Whether Coinbase wants fewer requests."""
    return isinstance(error, CoinbaseError) and error.status == TOO_MANY


class CoinbaseHistory:
    """Closed bars of one product, of the timeframes that Coinbase has."""

    def __init__(
        self, *, rest: CoinbaseRest, symbol: str, timeframe_ns: int, apart_seconds: float
    ) -> None:
        """
        Raises:
            ValueError: Coinbase has no candles of the timeframe.
        """
        self._rest, self._symbol, self._timeframe_ns = rest, symbol, timeframe_ns
        granularity_of(timeframe_ns)  # refuses what Coinbase has not
        self._pacer = Pacer(apart_seconds=apart_seconds, is_too_many=is_too_many)
        self._path = ""
        self._final_ns = 0

    async def begin(self) -> Listing:
        """Look the product up.

        Raises:
            UnknownProduct: it is not listed. ApiError, Unreached, NoAnswer: no answer.
        """
        told = await self._ask("/market/products")
        product = names.choose(names.read_list(told), self._symbol)
        self._path = f"/market/products/{segment(product.product_id)}/candles"
        self._final_ns = await self._pacer.ask(self._rest.time_ns) - SETTLE_NS
        return Listing(
            tick_size=product.tick_size,
            lot_size=product.lot_size,
            min_quantity=product.min_quantity,
            min_notional=product.min_notional,
            final_ns=self._final_ns,
        )

    async def pages(self, span: Span) -> AsyncGenerator[Page, None]:
        """The closed bars of a span, oldest first.

        Raises:
            ApiError, Unreached, NoAnswer: no answer.
        """
        for whole in windows(span, WINDOW * DAY_NS):
            for busy in await self._busy(whole):
                for part in windows(busy, WINDOW * self._timeframe_ns):
                    bars = await self._candles(part, self._timeframe_ns, until_ns=self._final_ns)
                    yield Page(bars, part.end_ns)
            yield Page(np.empty(0, BAR), whole.end_ns)

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def _busy(self, span: Span) -> list[Span]:
        """What of a span lies in days with trades; of a short one, all."""
        if span.end_ns - span.start_ns <= 2 * WINDOW * self._timeframe_ns:
            return [span]
        first_ns = span.start_ns // DAY_NS * DAY_NS
        days = await self._candles(Span(first_ns, span.end_ns), DAY_NS, until_ns=FOREVER)
        found = [
            Span(max(at, span.start_ns), min(at + DAY_NS, span.end_ns))
            for at in days["open_ns"].tolist()
        ]
        return joined(found, apart_ns=1)

    async def _candles(self, span: Span, frame_ns: int, *, until_ns: int) -> np.ndarray:
        """Candles of at most 350 intervals, whether the venue counts their end in or not."""
        told = await self._ask(
            self._path,
            start=span.start_ns // NS,
            end=span.end_ns // NS,
            granularity=granularity_of(frame_ns),
        )
        rows = told.get("candles")
        bars = rest_candles(
            rows if isinstance(rows, list) else [], until_ns=until_ns, timeframe_ns=frame_ns
        )
        return bars[(bars["open_ns"] >= span.start_ns) & (bars["open_ns"] < span.end_ns)]

    async def _ask(self, path: str, **params: Any) -> Any:
        return await self._pacer.ask(lambda: self._rest.public(path, **params))


def windows(span: Span, step_ns: int) -> Iterator[Span]:
    """A span in pieces of at most ``step_ns``."""
    for start_ns in range(span.start_ns, span.end_ns, step_ns):
        yield Span(start_ns, min(start_ns + step_ns, span.end_ns))
