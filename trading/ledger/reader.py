"""What the journal knows of an engine at its start."""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.batches import EngineState, OpenIntent, Snapshot
from trading.engine.messages import MarketSpec
from trading.ledger import rows
from trading.models import EngineSnapshot, Hold, LedgerEntry, OrderIntent

OPEN_STATES = ("PLANNED", "WORKING", "UNKNOWN")


def read_state(*, engine_id: str, account_id: str, specs: Sequence[MarketSpec]) -> EngineState:
    """Cash, snapshot, open intents and holds as last committed."""
    saved = EngineSnapshot.objects.filter(engine_id=engine_id).first()
    holds = Hold.objects.filter(engine_id=engine_id, cleared_at=None).order_by("placed_at", "id")
    return EngineState(
        cash_units=int(_cash(account_id, specs[0].quote) * FEE_UNITS_PER_QUOTE),
        snapshot=_snapshot(saved) if saved else None,
        snapshot_core_hash=saved.core_hash if saved else "",
        snapshot_layout_hash=saved.layout_hash if saved else "",
        open_intents=tuple(_open_intents(engine_id, specs)),
        holds=tuple(holds.values_list("kind", "cause")),
    )


def _snapshot(saved: EngineSnapshot) -> Snapshot:
    return Snapshot(
        sequence=saved.sequence,
        markets=bytes(saved.markets),
        account=bytes(saved.account),
        venue=bytes(saved.venue),
        portable=bytes(saved.portable),
    )


def _cash(account_id: str, quote: str) -> Decimal:
    amounts = LedgerEntry.objects.filter(
        account_id=uuid.UUID(account_id), book="ASSETS", currency=quote
    ).values_list("amount", flat=True)
    return sum(amounts, Decimal(0))


def _open_intents(engine_id: str, specs: Sequence[MarketSpec]) -> list[OpenIntent]:
    by_market = {(spec.bot_id, spec.instrument_id): spec for spec in specs}
    stored = OrderIntent.objects.filter(engine_id=engine_id, state__in=OPEN_STATES)
    return [
        OpenIntent(rows.order_of(by_market[str(row.bot_id), row.instrument_id], row), row.state)
        for row in stored.order_by("seq", "id")
    ]
