"""A position's rest that no order may sell leaves it at cost, in the transaction that closes it."""

import uuid
from decimal import ROUND_HALF_UP, Context, Decimal

from trading.core.codes import ExitReason, Purpose
from trading.engine.batches import WriteOff
from trading.engine.errors import IllegalTransition
from trading.engine.messages import MarketSpec
from trading.ledger import rows
from trading.ledger.positions import open_position
from trading.models import Fill, LedgerEntry, Position

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
COLUMN = Decimal(1).scaleb(-18)


def cost_of(quantity: Decimal, entry_price: Decimal) -> Decimal:
    """What was paid for it, to the last digit a column keeps."""
    return EXACT.quantize(EXACT.multiply(quantity, entry_price), COLUMN)


def write_off(*, tenant_id: str, account_id: str, spec: MarketSpec, told: WriteOff) -> None:
    """Close the open position and post what is left of it, behind its last fill.

    Raises:
        IllegalTransition: the rows hold another rest than the engine.
    """
    position, quantity = open_position(spec), rows.quantity(spec, told.quantity_lots)
    if position is None or position.side != Position.Side.LONG or position.quantity != quantity:
        held = position.quantity if position else Decimal(0)
        raise IllegalTransition(f"dust of {quantity} {spec.base} where {held} is held")
    last = _last_fill(account_id, spec)
    cost = cost_of(quantity, position.entry_price)
    at = rows.to_datetime(told.time_ns)
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            tenant_id=tenant_id,
            account_id=account_id,
            posting=uuid.uuid5(uuid.UUID(account_id), f"dust:{last.pk}"),
            book=book,
            currency=currency,
            amount=amount,
            fill=last,
            booked_at=at,
        )
        for book, currency, amount in rows.dust_postings(spec, quantity, cost)
    )
    intent = last.order.intent
    was_sold = intent.purpose != Purpose.ENTRY
    Position.objects.filter(id=position.id).update(
        quantity=0,
        dust_quantity=quantity,
        dust_cost=cost,
        realized_pnl=position.realized_pnl - cost,
        exit_price=last.price if was_sold else None,
        exit_reason=intent.exit_reason if was_sold else ExitReason.DUST,
        closed_at=at,
    )


def _last_fill(account_id: str, spec: MarketSpec) -> Fill:
    """The newest of the market: it belongs to the position that is open."""
    ours = Fill.objects.filter(
        account_id=uuid.UUID(account_id),
        order__intent__bot_id=spec.bot_id,
        order__intent__instrument_id=spec.instrument_id,
    )
    return ours.select_related("order__intent").latest("id")
