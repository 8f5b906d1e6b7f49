"""Kraken's past: its newest 720 candles as they are, older ones built of its trades."""

from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from trading.exchanges.failures import ApiError, NoAnswer
from trading.exchanges.kraken import names
from trading.exchanges.kraken.candles import INTERVALS, rest_candles
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.pacing import Pacer
from trading.marketdata.candles import CandleBuilder, TradeOrder
from trading.marketdata.download import Listing, Page, Span
from trading.marketdata.trades import TRADE

NS = 1_000_000_000
SETTLE_NS = 2 * NS
KEPT_CANDLES = 718  # of the 720, the running one and one that may go in the meantime left out
PAGE_TRADES = 1000
TOO_MANY = ("EAPI:Rate limit exceeded", "EGeneral:Too many requests", "EService:Throttled")


def is_too_many(error: ApiError) -> bool:
    """Whether Kraken wants fewer requests."""
    return error.words.startswith(TOO_MANY)


class KrakenHistory:
    """Closed bars of one pair; of any timeframe, since they can be built of trades."""

    def __init__(
        self, *, rest: KrakenRest, symbol: str, timeframe_ns: int, apart_seconds: float
    ) -> None:
        self._rest, self._symbol, self._timeframe_ns = rest, symbol, timeframe_ns
        self._pacer = Pacer(apart_seconds=apart_seconds, is_too_many=is_too_many)
        self._pair: names.Pair | None = None
        self._final_ns = 0

    async def begin(self) -> Listing:
        """Look the pair up.

        Raises:
            UnknownPair: it is not listed. ApiError, Unreached, NoAnswer: no answer.
        """
        told = await self._ask("AssetPairs")
        self._pair = pair = names.choose(names.read_pairs(told), self._symbol)
        time = await self._ask("Time")
        self._final_ns = int(time["unixtime"]) * NS - SETTLE_NS
        return Listing(
            tick_size=pair.tick_size,
            lot_size=pair.lot_size,
            min_quantity=pair.min_quantity,
            min_notional=pair.min_notional,
            final_ns=self._final_ns,
        )

    async def pages(self, span: Span) -> AsyncGenerator[Page, None]:
        """The closed bars of a span, oldest first.

        Raises:
            ApiError, Unreached, NoAnswer: no answer.
        """
        kept_ns = self._kept_ns()
        if span.start_ns < kept_ns:
            async for page in self._built(Span(span.start_ns, min(span.end_ns, kept_ns))):
                yield page
        if span.end_ns > kept_ns:
            yield await self._candles(Span(max(span.start_ns, kept_ns), span.end_ns))

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    def _kept_ns(self) -> int:
        """From when on Kraken has the candles themselves; for ever later where it has none."""
        frame_ns = self._timeframe_ns
        if frame_ns // (60 * NS) not in INTERVALS or frame_ns % (60 * NS):
            return self._final_ns
        return self._final_ns // frame_ns * frame_ns - KEPT_CANDLES * frame_ns

    async def _candles(self, span: Span) -> Page:
        result = await self._ask("OHLC", interval=self._timeframe_ns // (60 * NS))
        bars = rest_candles(result, now_ns=self._final_ns, timeframe_ns=self._timeframe_ns)
        opens = bars["open_ns"]
        return Page(bars[(opens >= span.start_ns) & (opens < span.end_ns)], span.end_ns)

    async def _built(self, span: Span) -> AsyncGenerator[Page, None]:
        """Bars of the trades of a span whose both ends lie on the grid."""
        order, builder = TradeOrder(), CandleBuilder(self._timeframe_ns)
        last_id, cursor = -1, span.start_ns - 1
        while cursor < span.end_ns:
            trades, last_ns = read_trades(await self._ask("Trades", since=cursor))
            is_news = len(trades) > 0 and int(trades["id"][-1]) > last_id
            if not is_news and len(trades) < PAGE_TRADES:
                break
            # Trades of one moment may stand on two pages; what comes again is known by its id.
            cursor = last_ns - 1 if is_news else last_ns
            last_id = max(last_id, int(trades["id"][-1]))
            within = trades[
                (trades["time_ns"] >= span.start_ns) & (trades["time_ns"] < span.end_ns)
            ]
            certain, _ = order.push(within, np.arange(len(within)))
            yield Page(builder.push(certain), min(cursor, span.end_ns))
        rest = [builder.push(order.finish()), builder.finish()]
        yield Page(np.concatenate(rest), span.end_ns)

    async def _ask(self, method: str, **params: Any) -> Any:
        given = params | ({"pair": self._pair.altname} if self._pair and params else {})
        return await self._pacer.ask(lambda: self._rest.public(method, **given))


def read_trades(result: Any) -> tuple[np.ndarray, int]:
    """(trades oldest first, the moment of the newest) of a Trades answer.

    Raises:
        NoAnswer: it cannot be read.
    """
    rows: Sequence[Any] = next((rows for name, rows in result.items() if name != "last"), [])
    try:
        told = [
            (int(Decimal(row[2]) * NS), int(row[6]), float(row[0]), float(row[1])) for row in rows
        ]
    except (IndexError, TypeError, ValueError, InvalidOperation):
        raise NoAnswer("Kraken's trades cannot be read") from None
    trades = np.array(told, dtype=TRADE)
    trades.sort(order=("time_ns", "id"))
    return trades, int(trades["time_ns"][-1]) if len(trades) else 0
