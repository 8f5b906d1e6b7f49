"""A look at an account of Coinbase's: spot wallets, orders that are not ours, the clock."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Any

from trading.engine.sights import Holding, Sight, Stranger
from trading.exchanges.coinbase import orders
from trading.exchanges.coinbase.errors import NoAnswer
from trading.exchanges.coinbase.inquiry import Inquiry
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.failures import UNREADABLE, read_amount
from trading.exchanges.strangers import Told, read_stranger
from trading.exchanges.venue_clock import ahead_seconds

NS_PER_MS = 1_000_000
SPOT = ("ACCOUNT_TYPE_FIAT", "ACCOUNT_TYPE_CRYPTO")  # vaults and futures are not to trade with


@dataclass(slots=True)
class Account:
    """Asks for one account; ``wall_ns``: this machine's clock, None where the venue's time is invented."""

    inquiry: Inquiry
    wall_ns: Callable[[], int] | None = None

    async def look(self) -> Sight:
        """Everything at once; what moves while it is asked is the engine's to notice.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        ahead = await ask_ahead(self.inquiry.rest, self.wall_ns) if self.wall_ns else 0.0
        await self.inquiry.rest.calls.wait_for_room()
        known = self.inquiry.known
        asked = known.asked()
        listed = await self.inquiry.pages(
            "/orders/historical/batch", "orders", {"order_status": ["OPEN"]}
        )
        told = [
            (orders.any_order(row), orders.read_order(row).filled)
            for row in listed
            if row.get("order_id") in asked
        ]
        resting = known.resting(asked, told)
        await self.inquiry.rest.calls.wait_for_room()
        return Sight(await self.holdings(), self._strangers(listed), ahead, resting)

    async def money(self) -> dict[str, Holding]:
        """The same holdings for an entry, which is not waited for.

        Raises:
            ApiError, Unreached, NoAnswer: they cannot be had.
        """
        self.inquiry.rest.calls.insist()
        return await self.holdings()

    async def holdings(self) -> dict[str, Holding]:
        """What may be traded with, by currency; several wallets of one are added up.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        total: dict[str, Decimal] = defaultdict(Decimal)
        free: dict[str, Decimal] = defaultdict(Decimal)
        for row in await self.inquiry.pages("/accounts", "accounts", {}):
            if row.get("type") not in SPOT:
                continue
            currency = str(row.get("currency"))
            free[currency] += _value(row, "available_balance")
            total[currency] += _value(row, "available_balance") + _value(row, "hold")
        return {currency: Holding(total[currency], free[currency]) for currency in total}

    def _strangers(self, listed: list[Mapping[str, Any]]) -> tuple[Stranger, ...]:
        known = self.inquiry.known
        foreign = [
            row
            for row in listed
            if not known.is_ours(
                venue_id=str(row.get("order_id")), client_id=str(row.get("client_order_id") or "")
            )
        ]
        named = sorted(((str(row.get("order_id")), row) for row in foreign), key=itemgetter(0))
        return tuple(read_stranger(name, partial(_stranger, row)) for name, row in named)


async def ask_ahead(rest: CoinbaseRest, wall_ns: Callable[[], int]) -> float:
    """By how many seconds this machine's clock leads the venue's, at least.

    Raises:
        ApiError, Unreached, NoAnswer: it cannot be had.
    """
    asked_ns = wall_ns()
    told_ns = await rest.time_ns()
    return ahead_seconds(
        asked_ns=asked_ns, answered_ns=wall_ns(), told_ns=told_ns, grain_ns=NS_PER_MS
    )


def _value(row: Mapping[str, Any], name: str) -> Decimal:
    """An amount of a wallet.

    Raises:
        NoAnswer: it cannot be read.
    """
    try:
        return read_amount(row[name]["value"])
    except UNREADABLE:
        raise NoAnswer(f"Coinbase's wallet of {row.get('currency')} has no {name}") from None


def _stranger(row: Mapping[str, Any]) -> Told:
    (asked,) = list((row.get("order_configuration") or {}).values())[:1] or [{}]
    size = Decimal(str(asked.get("base_size") or "0"))
    left = max(Decimal(0), size - Decimal(str(row.get("filled_size") or "0")))
    return str(row.get("product_id")).replace("-", "/"), str(row.get("side")), left
