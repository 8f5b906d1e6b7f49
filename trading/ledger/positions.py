"""Position rows moved by fills, in the transaction that books the fill."""

from decimal import Decimal

from trading.core.codes import Purpose
from trading.engine.errors import IllegalTransition
from trading.engine.messages import FillReport, MarketSpec
from trading.ledger import rows
from trading.models import Position


def apply_fill(*, tenant_id: str, spec: MarketSpec, report: FillReport) -> None:
    """Open, enlarge, reduce or close the position a fill belongs to.

    ``realized_pnl`` is net of every fee paid so far, entry's included.

    Raises:
        IllegalTransition: an exit without an open position, or larger than it.
    """
    if report.purpose == Purpose.ENTRY:
        _enter(tenant_id, spec, report)
    else:
        _reduce(spec, report)


def open_position(spec: MarketSpec) -> Position | None:
    """The row of a market's open position, locked; None where it is flat."""
    return (
        Position.objects.select_for_update()
        .filter(bot_id=spec.bot_id, instrument_id=spec.instrument_id, closed_at=None)
        .first()
    )


def _enter(tenant_id: str, spec: MarketSpec, report: FillReport) -> None:
    quantity = rows.quantity(spec, report.held_lots)
    price = spec.price_of(report)
    paid = rows.fee(report.fee_units)
    position = open_position(spec)
    if position is None:
        Position.objects.create(
            tenant_id=tenant_id,
            bot_id=spec.bot_id,
            instrument_id=spec.instrument_id,
            side="LONG" if report.side > 0 else "SHORT",
            quantity=quantity,
            entry_price=price,
            fees=paid,
            realized_pnl=-paid,
            opened_at=rows.to_datetime(report.time_ns),
        )
        return
    total = position.quantity + quantity
    position.entry_price = (position.entry_price * position.quantity + price * quantity) / total
    position.quantity = total
    position.fees += paid
    position.realized_pnl -= paid
    _store(position)


def _reduce(spec: MarketSpec, report: FillReport) -> None:
    quantity = rows.quantity(spec, report.quantity_lots)
    price = spec.price_of(report)
    paid = rows.fee(report.fee_units)
    position = open_position(spec)
    if position is None or quantity > position.quantity:
        held = position.quantity if position else Decimal(0)
        raise IllegalTransition(f"an exit of {quantity} {spec.base} where {held} is held")
    sign = 1 if position.side == "LONG" else -1
    position.realized_pnl += (price - position.entry_price) * quantity * sign - paid
    position.fees += paid
    position.quantity -= quantity
    if position.quantity == 0:
        position.exit_price = price
        position.exit_reason = report.reason
        position.closed_at = rows.to_datetime(report.time_ns)
    _store(position)


def _store(position: Position) -> None:
    """Not ``save``, which counts the rows it changed: see ``reads.pipelined``."""
    moved = (
        *("quantity", "entry_price", "fees", "realized_pnl"),
        *("exit_price", "exit_reason", "closed_at"),
    )
    Position.objects.filter(id=position.id).update(
        **{name: getattr(position, name) for name in moved}
    )


def note_stop(*, spec: MarketSpec, stop_price: Decimal) -> None:
    """Store where the open position's stop stands now."""
    Position.objects.filter(
        bot_id=spec.bot_id, instrument_id=spec.instrument_id, closed_at=None
    ).update(stop_price=stop_price)
