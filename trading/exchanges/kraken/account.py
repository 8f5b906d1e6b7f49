"""A look at an account of Kraken's: spot balances, orders that are not ours, the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from trading.engine.sights import Holding, Sight, Stranger
from trading.exchanges.failures import read_amount, reading
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.kraken import names, orders
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.strangers import Told, read_stranger
from trading.exchanges.venue_clock import ahead_seconds

NS = 1_000_000_000
SUB_BALANCE = "."  # .S .M .F .B .T: staked, earning, held back; no order can use them


@dataclass(slots=True)
class Account:
    """Asks for one account; ``wall_ns``: this machine's clock, None where the venue's time is invented."""

    rest: KrakenRest
    known: KnownOrders
    wall_ns: Callable[[], int] | None = None
    _assets: dict[str, str] = field(default_factory=dict)

    async def look(self, pairs: Mapping[str, names.Pair]) -> Sight:
        """Everything at once; what moves while it is asked is the engine's to notice.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        ahead = await ask_ahead(self.rest, self.wall_ns) if self.wall_ns else 0.0
        asked = self.known.asked()
        told: Mapping[str, Mapping[str, Any]] = (await self.rest.read("OpenOrders"))["open"]
        resting = self.known.resting(
            asked,
            [
                (orders.any_order(key, row), Decimal(str(row["vol_exec"])))
                for key, row in told.items()
                if key in asked
            ],
        )
        return Sight(await self.holdings(), self._strangers(told, pairs), ahead, resting)

    async def holdings(self) -> dict[str, Holding]:
        """What may be traded with, by asset as we name it.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        if not self._assets:
            told = await self.rest.public("Assets")
            with reading("Kraken's table of assets"):
                self._assets = names.asset_names(told)
        told = await self.rest.read("BalanceEx")
        with reading("Kraken's word on balances"):
            return {
                self._assets.get(asset, asset): _holding(row)
                for asset, row in told.items()
                if SUB_BALANCE not in asset
            }

    def _strangers(
        self, told: Mapping[str, Mapping[str, Any]], pairs: Mapping[str, names.Pair]
    ) -> tuple[Stranger, ...]:
        symbols = {pair.altname: pair.symbol for pair in pairs.values()}
        return tuple(
            read_stranger(venue_id, partial(_stranger, row, symbols))
            for venue_id, row in sorted(told.items())
            if not self.known.is_ours(venue_id=venue_id, client_id=str(row.get("cl_ord_id") or ""))
        )


async def ask_ahead(rest: KrakenRest, wall_ns: Callable[[], int]) -> float:
    """By how many seconds this machine's clock leads the venue's, at least.

    Raises:
        ApiError, Unreached, NoAnswer: it cannot be had.
    """
    asked_ns = wall_ns()
    told = await rest.public("Time")
    answered_ns = wall_ns()
    with reading("Kraken's time"):
        told_ns = int(told["unixtime"]) * NS
    return ahead_seconds(asked_ns=asked_ns, answered_ns=answered_ns, told_ns=told_ns, grain_ns=NS)


def _holding(row: Mapping[str, Any]) -> Holding:
    """One line of BalanceEx; credit can be spent, and is not owned."""
    balance, held, credit, used = (
        read_amount(row.get(name) or "0")
        for name in ("balance", "hold_trade", "credit", "credit_used")
    )
    return Holding(balance, balance + credit - used - held)


def _stranger(row: Mapping[str, Any], symbols: Mapping[str, str]) -> Told:
    described = row["descr"]
    left = Decimal(str(row["vol"])) - Decimal(str(row["vol_exec"]))
    pair = str(described["pair"])
    return symbols.get(pair, pair), str(described["type"]).upper(), left
