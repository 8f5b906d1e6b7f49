"""Rows an engine would have written, made by hand: decisions, a fill, a position, a hold."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import numpy as np

from tenants.scoping import tenant_scope
from tests.factories import NOW, EngineRows
from trading.core import explain
from trading.core.codes import Gate, Liquidity, Purpose, Reason, Stage, Verdict
from trading.models import Alert, Bot, Decision, Fill, Hold, Order, OrderIntent, Position

PRICE = Decimal(42_000)


def write_decision(
    engine: EngineRows,
    *,
    at: datetime = NOW,
    stage: Stage = Stage.CONFLUENCE,
    reason: Reason = Reason.SCORE_TOO_LOW,
    equity: float = 10_000.0,
    record: bytes | None = None,
) -> Decision:
    """A decision that stopped at the score gate; ``record`` stands for one of another core."""
    stored = _record(at=at, stage=stage, reason=reason, equity=equity)
    with tenant_scope(engine.tenant_id):
        bot = Bot.objects.get(account_id=engine.account_id)
        assert bot.active_revision is not None
        return Decision.objects.create(
            tenant_id=engine.tenant_id,
            revision=bot.active_revision,
            instrument=engine.instrument,
            bar_opened_at=at,
            stage=stage,
            reason=reason,
            record=stored if record is None else record,
            core_hash="0" * 16,
            chain=engine.engine_id,
            sequence=Decision.objects.count() + 1,
            previous_hash=bytes(32),
            hash=bytes(32),
        )


def _record(*, at: datetime, stage: Stage, reason: Reason, equity: float) -> bytes:
    record = np.zeros(1, dtype=explain.DECISION)[0]
    record["bar_open_ns"] = int(at.timestamp()) * 1_000_000_000
    record["stage"], record["reason"] = stage, reason
    record["side"] = 1 if stage == Stage.ENTRY else 0
    record["equity"], record["close"] = equity, float(PRICE)
    record["score"], record["confidence"] = 0.123, 0.456
    record["has_detail"] = 1
    detail = np.zeros(1, dtype=explain.DETAIL)[0]
    detail["gates"][Gate.CANDIDATE]["verdict"] = Verdict.PASSED
    detail["gates"][Gate.SCORE] = (0.123, 0.321, Verdict.REFUSED)
    return bytes(record.tobytes() + detail.tobytes())


def write_fill(
    engine: EngineRows,
    *,
    number: int = 1,
    at: datetime = NOW,
    price: Decimal = PRICE,
    side: str = "BUY",
) -> Fill:
    """An entry that filled."""
    with tenant_scope(engine.tenant_id):
        bot = Bot.objects.get(account_id=engine.account_id)
        intent = OrderIntent.objects.create(
            tenant_id=engine.tenant_id,
            engine_id=engine.engine_id,
            epoch=1,
            bot=bot,
            instrument=engine.instrument,
            seq=number,
            client_order_id=uuid4(),
            purpose=Purpose.ENTRY,
            side=side,
            quantity=Decimal("0.05"),
            state=OrderIntent.State.DONE,
            planned_at=at,
            deadline_at=at + timedelta(minutes=1),
        )
        order = Order.objects.create(
            tenant_id=engine.tenant_id,
            intent=intent,
            venue_order_id=str(number),
            status=Order.Status.FILLED,
        )
        return Fill.objects.create(
            tenant_id=engine.tenant_id,
            order=order,
            account_id=engine.account_id,
            venue_trade_id=str(number),
            side=side,
            quantity=Decimal("0.05"),
            price=price,
            fee=Decimal("5.46"),
            fee_currency="USD",
            liquidity=Liquidity.TAKER,
            filled_at=at,
        )


def write_position(engine: EngineRows, *, stop: Decimal = Decimal(41_500)) -> Position:
    """An open long with its stop."""
    with tenant_scope(engine.tenant_id):
        return Position.objects.create(
            tenant_id=engine.tenant_id,
            bot=Bot.objects.get(account_id=engine.account_id),
            instrument=engine.instrument,
            side=Position.Side.LONG,
            quantity=Decimal("0.05"),
            entry_price=PRICE,
            stop_price=stop,
            opened_at=NOW,
        )


def write_hold(
    engine: EngineRows, *, reason: str = "paused by Olga", kind: Hold.Kind = Hold.Kind.OPERATOR
) -> Hold:
    """An operator's hold, or another's."""
    with tenant_scope(engine.tenant_id):
        return Hold.objects.create(
            tenant_id=engine.tenant_id,
            engine_id=engine.engine_id,
            kind=kind,
            cause="pause",
            reason=reason,
            placed_at=NOW,
        )


def write_alert(engine: EngineRows, *, words: str = "Kraken is silent") -> Alert:
    """A breaker that tripped."""
    with tenant_scope(engine.tenant_id):
        return Alert.objects.create(
            tenant_id=engine.tenant_id,
            engine_id=engine.engine_id,
            cause="silence",
            words=words,
            raised_at=NOW,
        )
