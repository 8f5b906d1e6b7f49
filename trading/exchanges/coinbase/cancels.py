"""Cancels orders at Coinbase, and sees them to their end: accepted is not done there."""

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog

from trading.engine.errors import NotSent
from trading.exchanges.coinbase.errors import FAILS, ApiError, NoAnswer
from trading.exchanges.coinbase.inquiry import Inquiry
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.known_orders import KnownOrder

log = structlog.get_logger(__name__)

CONFIRM_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.0)  # a cancellation is queued, then carried out
ALREADY = "DUPLICATE_CANCEL_REQUEST"


@dataclass(frozen=True, slots=True)
class Cancels:
    """Cancellations of one account."""

    rest: CoinbaseRest
    inquiry: Inquiry

    async def end(self, known: KnownOrder) -> bool:
        """Cancel an order and see that it is over; whether it has filled meanwhile.

        Raises:
            ApiError, Unreached, NoAnswer: it may still work.
        """
        had_lots = known.filled_lots
        reason = await self._ask(known.venue_id)
        for pause in CONFIRM_PAUSES:
            news = await self.inquiry.look_at(known)
            if news.is_settled:
                return known.filled_lots > had_lots
            if reason and not news.standing.is_over:
                raise ApiError(reason)
            await asyncio.sleep(pause)
        raise NoAnswer("the cancellation is not carried out yet")

    async def cancel(self, known: KnownOrder) -> bool:
        """Whether it is over by this and nothing of it waits to be booked; else its end is news."""
        try:
            if reason := await self._ask(known.venue_id):
                raise ApiError(reason)
        except FAILS as error:
            log.warning("cancel_failed", order=known.venue_id, why=str(error))
            return False
        return await self._is_cancelled(known)

    async def outlast(self, sale: KnownOrder) -> None:
        """Wait until a sale, which ends by itself, is over and all of it told.

        Raises:
            NotSent: it is not, or nobody can tell; nothing may be offered beside it.
        """
        for pause in CONFIRM_PAUSES:
            try:
                news = await self.inquiry.look_at(sale)
            except FAILS as error:
                raise NotSent(f"a sale of it could not be looked at: {error}") from None
            if news.is_settled:
                return
            await asyncio.sleep(pause)
        raise NotSent("a sale of it still works")

    async def _is_cancelled(self, known: KnownOrder) -> bool:
        """Whether it ended, with all it filled booked; accepted is not done."""
        for pause in CONFIRM_PAUSES:
            try:
                news = await self.inquiry.look_at(known)
            except FAILS as error:
                log.warning("cancel_not_confirmed", order=known.venue_id, why=str(error))
                return False
            if news.is_settled:
                return not known.unbooked_lots
            await asyncio.sleep(pause)
        return False

    async def _ask(self, venue_id: str) -> str:
        """Why a cancellation was not accepted; empty: it was.

        Raises:
            ApiError, Unreached, NoAnswer: nobody can tell.
        """
        told = await self.rest.act("/orders/batch_cancel", {"order_ids": [venue_id]})
        results = told.get("results")
        result: Any = results[0] if isinstance(results, list) and results else None
        if not isinstance(result, dict):
            raise NoAnswer("the answer to a cancellation names no order")
        reason = str(result.get("failure_reason") or "refused")
        return "" if result.get("success") is True or reason == ALREADY else reason
