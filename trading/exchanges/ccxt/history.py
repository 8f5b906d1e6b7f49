"""The past of a venue that ccxt knows: its candles, as far back as it serves them."""

from collections.abc import AsyncGenerator

from trading.exchanges.ccxt.candles import SETTLE_NS, closed_candles
from trading.exchanges.ccxt.client import CcxtClient
from trading.marketdata.download import Listing, Page, Span
from trading.marketdata.timeframes import NS, format_timeframe


class CcxtHistory:
    """Closed bars of one pair, of the timeframes that the venue has."""

    def __init__(self, *, client: CcxtClient, symbol: str, timeframe_ns: int) -> None:
        """
        Raises:
            ValueError: the venue has no candles of the timeframe.
        """
        client.check_timeframe(format_timeframe(timeframe_ns // NS))
        self._client, self._symbol, self._timeframe_ns = client, symbol, timeframe_ns
        self._final_ns = 0

    async def begin(self) -> Listing:
        """Look the pair up.

        Raises:
            UnknownMarket: it is not listed. ApiError, NoAnswer: no answer.
        """
        market = await self._client.market(self._symbol)
        self._final_ns = await self._client.time_ns() - SETTLE_NS
        return Listing(
            tick_size=market.tick_size,
            lot_size=market.lot_size,
            min_quantity=market.min_quantity,
            min_notional=market.min_notional,
            final_ns=self._final_ns,
        )

    def pages(self, span: Span) -> AsyncGenerator[Page, None]:
        """The closed bars of a span, oldest first.

        Raises:
            ApiError, NoAnswer: no answer.
        """
        return closed_candles(
            self._client,
            self._symbol,
            timeframe_ns=self._timeframe_ns,
            span=span,
            until_ns=self._final_ns,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
