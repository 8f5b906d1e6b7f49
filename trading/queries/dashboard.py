"""What the dashboard's first paint shows; the live stream takes over from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet, Sum

from tenants.models import ExchangeAccount
from trading.core.records import ACCOUNT
from trading.models import (
    Decision,
    Engine,
    EngineSnapshot,
    Fill,
    ForeignOrder,
    Hold,
    LedgerEntry,
    Position,
)
from trading.queries.bars import is_wired
from trading.queries.decisions import describe_row
from trading.queries.feeds import feed_words
from trading.queries.holds import list_foreign_orders, list_holds
from trading.queries.markets import EngineMarket, list_markets

DECISIONS_SHOWN = 40
FILLS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One engine with everything beside its charts."""

    engine: Engine
    engines: Sequence[Engine]
    markets: Sequence[EngineMarket]
    market_words: str
    market_data: str
    holds: Sequence[dict[str, Any]]
    foreign_orders: Sequence[ForeignOrder]
    positions: Sequence[Position]
    fills: Sequence[Fill]
    decisions: Sequence[dict[str, Any]]
    paid_in: Decimal
    equity: float | None
    today: float | None
    realized: Decimal
    fees: Decimal

    @property
    def is_wired(self) -> bool:
        """Whether bars come by wire, at the market's own pace."""
        return is_wired(self.engine.account.venue)

    @property
    def is_paused(self) -> bool:
        """Whether a person stopped entries."""
        return any(item["hold"].kind == Hold.Kind.OPERATOR for item in self.holds)


def list_engines() -> list[Engine]:
    """The workspace's engines, those that should run first."""
    return list(
        Engine.objects.select_related("account").order_by("desired", "account__label", "id")
    )


def get_engine(*, engine_id: UUID) -> Engine:
    """One of them.

    Raises:
        Engine.DoesNotExist: not in this workspace.
    """
    found: Engine = Engine.objects.select_related("account").get(id=engine_id)
    return found


def trades_real_money(*, engine_id: UUID) -> bool:
    """Whether an engine of this workspace sends real orders."""
    found = Engine.objects.filter(id=engine_id, account__mode=ExchangeAccount.Mode.LIVE)
    return bool(found.exists())


def get_dashboard(*, engine_id: UUID | None) -> Dashboard | None:
    """The chosen engine's dashboard, the first engine's without a choice, None without engines.

    Raises:
        Engine.DoesNotExist: the chosen engine is not one of this workspace.
    """
    engines = list_engines()
    if not engines and engine_id is None:
        return None
    engine = _choose(engines, engine_id)
    markets = list_markets(account_id=engine.account_id)
    decisions = list_decisions(markets=markets, count=DECISIONS_SHOWN)
    closed = Position.objects.filter(bot__account=engine.account).aggregate(
        realized=Sum("realized_pnl"), fees=Sum("fees")
    )
    return Dashboard(
        engine=engine,
        engines=engines,
        markets=markets,
        market_words=describe_market(engine, markets),
        market_data=feed_words(engine.account.venue),
        holds=list_holds(engine),
        foreign_orders=list_foreign_orders(engine),
        positions=_open_positions(engine),
        fills=list_fills(engine=engine, count=FILLS_SHOWN),
        decisions=decisions,
        paid_in=paid_in(engine),
        equity=decisions[0]["equity"] if decisions else None,
        today=result_of_today(engine),
        realized=closed["realized"] or Decimal(0),
        fees=closed["fees"] or Decimal(0),
    )


def _choose(engines: Sequence[Engine], engine_id: UUID | None) -> Engine:
    chosen = [engine for engine in engines if engine_id in (None, engine.id)]
    if not chosen:
        raise Engine.DoesNotExist
    return chosen[0]


def _open_positions(engine: Engine) -> list[Position]:
    return list(
        Position.objects.filter(bot__account=engine.account, closed_at=None)
        .select_related("instrument", "bot")
        .order_by("opened_at", "id")
    )


def describe_market(engine: Engine, markets: Sequence[EngineMarket]) -> str:
    """Plain words for where the prices come from."""
    pairs = ", ".join(market.instrument.symbol for market in markets) or "no instrument"
    if engine.account.venue == "synthetic":
        return f"Synthetic market, seeded and not real: {pairs}"
    if engine.account.venue == "simulator":
        return f"Venue simulator, Kraken's protocol over an invented market: {pairs}"
    if engine.account.venue == "simulator_coinbase":
        return f"Venue simulator, Coinbase's protocol over an invented market: {pairs}"
    if engine.account.venue == "replay":
        venues = " and ".join(sorted({m.instrument.venue for m in markets}))
        return f"Replay of stored {venues} bars: {pairs}"
    return f"{engine.account.get_venue_display()}: {pairs}"


def result_of_today(engine: Engine) -> float | None:
    """Equity gained or lost since the market's midnight, as the engine last saved it."""
    saved = EngineSnapshot.objects.filter(engine=engine).values_list("account", flat=True).first()
    if saved is None or len(saved) != ACCOUNT.itemsize:  # saved by a core with another layout
        return None
    account = np.frombuffer(bytes(saved), dtype=ACCOUNT)[0]
    return float(account["equity"] - account["day_start_equity"])


def paid_in(engine: Engine) -> Decimal:
    """What was paid into the engine's account, in its quote currency."""
    booked = LedgerEntry.objects.filter(account=engine.account, book=LedgerEntry.Book.CAPITAL)
    return -(booked.aggregate(total=Sum("amount"))["total"] or Decimal(0))


def list_fills(*, engine: Engine, count: int) -> list[Fill]:
    """The newest fills, newest first."""
    return list(
        Fill.objects.filter(account=engine.account)
        .select_related("order__intent")
        .only("filled_at", "side", "quantity", "price", "order__intent__exit_reason")
        .order_by("-filled_at", "-id")[:count]
    )


def list_decisions(*, markets: Sequence[EngineMarket], count: int) -> list[dict[str, Any]]:
    """The newest decisions in words, newest first."""
    if not markets:
        return []
    by_row = {(m.revision.id, m.instrument.id): m for m in markets}
    newest, *others = newest_of_each(markets, count=count)
    stored = newest
    if others:
        stored = newest.union(*others, all=True).order_by("-bar_opened_at", "-id")[:count]
    return [_told(row, by_row[row.revision_id, row.instrument_id]) for row in stored]


def last_bars(markets: Sequence[EngineMarket]) -> dict[UUID, datetime]:
    """The opening of the newest bar each account decided on; accounts without a decision are left out."""
    if not markets:
        return {}
    accounts = {m.revision.id: m.bot.account_id for m in markets}
    newest, *others = newest_of_each(markets, count=1)
    found: dict[UUID, datetime] = {}
    for row in newest.union(*others, all=True).values_list("revision_id", "bar_opened_at"):
        account_id, opened_at = accounts[row[0]], row[1]
        found[account_id] = max(found.get(account_id, opened_at), opened_at)
    return found


def newest_of_each(markets: Sequence[EngineMarket], *, count: int) -> list[QuerySet[Decision]]:
    """The newest decisions of each market, one query for each; to be joined by ``union``."""
    # Each market's newest straight from its index: one order over all would sort the whole journal.
    return [
        Decision.objects.filter(revision=m.revision, instrument=m.instrument).order_by(
            "-bar_opened_at", "-id"
        )[:count]
        for m in markets
    ]


def _told(row: Decision, market: EngineMarket) -> dict[str, Any]:
    return {
        "id": row.id,
        "account_id": market.bot.account_id,
        "bar_opened_at": row.bar_opened_at,
        "symbol": market.instrument.symbol,
        **describe_row(row),
    }
