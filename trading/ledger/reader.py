"""What the journal knows of an engine at its start."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q

from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.batches import EngineState, MarketMemory, OpenIntent
from trading.engine.messages import MarketSpec
from trading.ledger import rows
from trading.ledger.snapshots import read_snapshot
from trading.models import EngineSnapshot, Fill, Hold, LedgerEntry, OrderIntent

OPEN_STATES = ("PLANNED", "WORKING", "UNKNOWN")
ENDED_KNOWN, TRADES_KNOWN = 200, 2000  # the newest: fills may still come late, or twice


def read_state(
    *,
    engine_id: str,
    account_id: str,
    specs: Sequence[MarketSpec],
    markets: Sequence[MarketMemory],
) -> EngineState:
    """Cash, snapshot (with these markets), open intents and holds as last committed."""
    known = _known_intents(engine_id, specs)
    saved = EngineSnapshot.objects.filter(engine_id=engine_id).first()
    holds = Hold.objects.filter(engine_id=engine_id, cleared_at=None).order_by("placed_at", "id")
    return EngineState(
        cash_units=int(_cash(account_id, specs[0].quote) * FEE_UNITS_PER_QUOTE),
        snapshot=read_snapshot(saved, markets) if saved else None,
        snapshot_core_hash=saved.core_hash if saved else "",
        snapshot_layout_hash=saved.layout_hash if saved else "",
        open_intents=tuple(one for one in known if one.state in OPEN_STATES),
        ended_intents=tuple(one for one in known if one.state not in OPEN_STATES),
        booked_trades=frozenset(_newest_trades(account_id)),
        holds=tuple(holds.values_list("kind", "cause")),
    )


def _cash(account_id: str, quote: str) -> Decimal:
    amounts = LedgerEntry.objects.filter(
        account_id=uuid.UUID(account_id), book="ASSETS", currency=quote
    ).values_list("amount", flat=True)
    return sum(amounts, Decimal(0))


def _known_intents(engine_id: str, specs: Sequence[MarketSpec]) -> list[OpenIntent]:
    """Every open intent, and the newest of the ended ones, oldest first."""
    by_market = {(spec.bot_id, spec.instrument_id): spec for spec in specs}
    newest = OrderIntent.objects.filter(engine_id=engine_id).order_by("-planned_at", "-seq", "id")
    chosen = {row.id for row in newest[:ENDED_KNOWN]}
    stored = OrderIntent.objects.filter(
        Q(id__in=chosen) | Q(engine_id=engine_id, state__in=OPEN_STATES)
    ).prefetch_related("orders")
    return [
        OpenIntent(
            rows.order_of(by_market[str(row.bot_id), row.instrument_id], row),
            row.state,
            max((order.venue_order_id for order in row.orders.all()), default=""),
        )
        for row in stored.order_by("seq", "id")
        if (str(row.bot_id), row.instrument_id) in by_market
    ]


def _newest_trades(account_id: str) -> list[str]:
    booked = Fill.objects.filter(account_id=uuid.UUID(account_id)).order_by("-filled_at", "-id")
    return list(booked.values_list("venue_trade_id", flat=True)[:TRADES_KNOWN])
