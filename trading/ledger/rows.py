"""Pure: messages <-> model field dicts; the only place ticks become Decimal and ns become times."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from trading.core.codes import ExitReason, Purpose, Side
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.batches import Sent
from trading.engine.messages import FillReport, MarketSpec, OrderRequest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = Decimal(FEE_UNITS_PER_QUOTE)


def to_datetime(time_ns: int) -> datetime:
    """Aware UTC time of a nanosecond stamp, to the microsecond."""
    return EPOCH + timedelta(microseconds=time_ns // 1000)


def to_ns(at: datetime) -> int:
    """Nanoseconds UTC of an aware time."""
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def quantity(spec: MarketSpec, lots: int) -> Decimal:
    """Lots as base units."""
    return spec.lot_size * lots


def price(spec: MarketSpec, ticks: int) -> Decimal:
    """Ticks as a price."""
    return spec.tick_size * ticks


def fee(units: int) -> Decimal:
    """Fee units as quote currency."""
    return Decimal(units) / UNITS


def decisions(records: Sequence[bytes], dtype: np.dtype) -> np.ndarray:
    """The DECISION records at the head of stored bytes; a detail may follow each."""
    return np.frombuffer(b"".join(record[: dtype.itemsize] for record in records), dtype=dtype)


def sent_fields(sent: Sent | None) -> dict[str, Any]:
    """Fields of Order that tell how long the venue took to answer."""
    if sent is None:
        return {}
    return {
        "sent_at": to_datetime(sent.at_ns),
        "acknowledged_at": to_datetime(sent.acknowledged_ns),
    }


def intent_fields(spec: MarketSpec, order: OrderRequest) -> dict[str, Any]:
    """Fields of OrderIntent that come from the order."""
    level = price(spec, order.price_ticks) if order.price_ticks else None
    is_entry = order.purpose == Purpose.ENTRY
    return {
        "bot_id": spec.bot_id,
        "instrument_id": spec.instrument_id,
        "seq": order.seq,
        "client_order_id": order.client_order_id,
        "purpose": int(order.purpose),
        "side": order.side.name,
        "quantity": quantity(spec, order.quantity_lots),
        "stop_price": None if is_entry else level,
        "limit_price": level if is_entry else None,
        "expires_at": to_datetime(order.expires_ns) if order.expires_ns else None,
        "replaces_seq": order.replaces_seq,
        "exit_reason": int(order.reason),
        "planned_at": to_datetime(order.at_ns),
        "deadline_at": to_datetime(order.deadline_ns),
    }


def order_of(spec: MarketSpec, row: Any) -> OrderRequest:
    """The order of a stored OrderIntent; the inverse of ``intent_fields``."""
    level = row.stop_price or row.limit_price
    return OrderRequest(
        market=spec.index,
        seq=row.seq,
        client_order_id=str(row.client_order_id),
        at_ns=to_ns(row.planned_at),
        purpose=Purpose(row.purpose),
        side=Side[row.side],
        quantity_lots=int(row.quantity / spec.lot_size),
        price_ticks=int(level / spec.tick_size) if level else 0,
        expires_ns=to_ns(row.expires_at) if row.expires_at else 0,
        replaces_seq=row.replaces_seq,
        reason=ExitReason(row.exit_reason),
        deadline_ns=to_ns(row.deadline_at),
    )


def fill_fields(spec: MarketSpec, report: FillReport) -> dict[str, Any]:
    """Fields of Fill that come from the report."""
    return {
        "venue_trade_id": report.venue_trade_id,
        "side": Side(report.side).name,
        "quantity": quantity(spec, report.quantity_lots),
        "taken": quantity(spec, report.taken_lots),
        "price": spec.price_of(report),
        "fee": Decimal(report.fee) if report.fee else fee(report.fee_units),
        "fee_currency": report.fee_currency or spec.quote,
        "liquidity": report.liquidity,
        "filled_at": to_datetime(report.time_ns),
    }


def postings(spec: MarketSpec, report: FillReport) -> list[tuple[str, str, Decimal]]:
    """The lines of a fill's posting as (book, currency, amount); they sum to zero per currency."""
    base = quantity(spec, report.quantity_lots) * report.side
    quote = -base * spec.price_of(report)
    paid = Decimal(report.fee) if report.fee else fee(report.fee_units)
    charged = report.fee_currency or spec.quote
    lines = [
        ("ASSETS", spec.base, base),
        ("TRADING", spec.base, -base),
        ("ASSETS", spec.quote, quote),
        ("TRADING", spec.quote, -quote),
    ]
    if paid:
        lines += [("ASSETS", charged, -paid), ("FEES", charged, paid)]
    return lines


def dust_postings(spec: MarketSpec, dust: Decimal, cost: Decimal) -> list[tuple[str, str, Decimal]]:
    """The lines of a write-off: the account keeps the coins, and trading gives its claim on them up."""
    return [
        ("TRADING", spec.base, dust),
        ("DUST", spec.base, -dust),
        ("TRADING", spec.quote, -cost),
        ("DUST", spec.quote, cost),
    ]
