"""Rows of what keeps entries back, of the alert that tells of it, and of orders that are not ours."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from trading.engine.batches import HoldChange
from trading.engine.sights import Stranger
from trading.models import Alert, EngineCommand, ForeignOrder, Hold

MOST_WORDS = 300


def change_hold(*, tenant_id: str, engine_id: str, change: HoldChange, now: datetime) -> None:
    """Place or lift a hold; a breaker's is told by an alert in the same transaction."""
    if not change.open:
        Hold.objects.filter(
            engine_id=engine_id, kind=change.kind, cause=change.cause, cleared_at=None
        ).update(cleared_at=now)
        return
    asked = EngineCommand.objects.get(id=change.command_id) if change.command_id else None
    Hold.objects.create(
        tenant_id=tenant_id,
        engine_id=engine_id,
        kind=change.kind,
        cause=change.cause,
        reason=change.reason[:MOST_WORDS],
        placed_at=now,
        placed_by_id=asked.requested_by_id if asked else None,
    )
    if change.kind == Hold.Kind.BREAKER:
        Alert.objects.create(
            tenant_id=tenant_id,
            engine_id=UUID(engine_id),
            cause=change.cause,
            words=change.reason[:MOST_WORDS],
            raised_at=now,
        )


def note_strangers(
    *, tenant_id: str, engine_id: str, seen: Sequence[Stranger], now: datetime
) -> None:
    """The orders of others as a look found them; what it did not find is gone."""
    mine = ForeignOrder.objects.filter(engine_id=engine_id)
    names = [one.venue_order_id for one in seen]
    mine.filter(gone_at=None).exclude(venue_order_id__in=names).update(gone_at=now)
    ForeignOrder.objects.bulk_create(
        (
            ForeignOrder(
                tenant_id=tenant_id,
                engine_id=UUID(engine_id),
                venue_order_id=one.venue_order_id,
                symbol=one.symbol,
                side=one.side,
                quantity=one.quantity,
                first_seen_at=now,
                last_seen_at=now,
            )
            for one in {one.venue_order_id: one for one in seen}.values()
        ),
        update_conflicts=True,
        unique_fields=["tenant", "engine", "venue_order_id"],
        update_fields=["symbol", "side", "quantity", "last_seen_at", "gone_at"],
    )
