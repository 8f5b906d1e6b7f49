"""What a workspace's standing asks of its engines: entries held while it is not active."""

import uuid
from datetime import datetime

from tenants.standing import CLOSED, LAPSED, SUSPENDED, words_of
from trading.models import Engine
from trading.operations.engines import EngineNotFound, hold_engine, lift_engine

CAUSES = {LAPSED: "lapsed", SUSPENDED: "suspended", CLOSED: "suspended"}


def follow_standing(*, engine_id: uuid.UUID, now: datetime) -> int:
    """Order what brings an engine's holds to its workspace's standing; how many orders.

    Where one hold follows another, the old one is lifted in the next round, after the new one:
    orders of one moment are read in no order, and between the two nothing may be entered.

    Raises:
        EngineNotFound: no such engine in this tenant.
    """
    engine = Engine.objects.select_related("tenant").filter(id=engine_id).first()
    if engine is None:
        raise EngineNotFound(f"no engine {engine_id} in this workspace")
    status = engine.tenant.status
    wanted = CAUSES.get(status)
    if wanted is not None:
        reason = words_of(status=status, reason=engine.tenant.status_reason)
        if hold_engine(engine=engine, cause=wanted, reason=reason, now=now):
            return 1
    words, gone = "the workspace's standing changed", sorted(set(CAUSES.values()) - {wanted})
    return sum(lift_engine(engine=engine, cause=one, reason=words, now=now) for one in gone)
