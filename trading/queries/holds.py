"""What keeps an engine from entering and what lifts it, and orders of its account that are not ours."""

from typing import Any

from trading.models import Engine, ForeignOrder, Hold

LIFTED_BY_CAUSE = {
    "kill": "an owner revives it",
    "exchange key": "a good check of the account's key lifts it",
    "clock": "a look at the venue's clock that agrees lifts it",
    "unknown order": "the venue's word on the order lifts it",
}
DRIFT, DRIFT_LIFTED_BY = "drift:", "a look at the account that agrees with our books lifts it"
HOLD_LIFTED_BY = {
    "OPERATOR": "Resume lifts it",
    "BREAKER": "lifts when its cause is gone",
    "BILLING": "a paid subscription lifts it",
    "DATA": "fresh news from the venue lifts it",
    "RISK": "lifts when the limit allows",
}


def list_holds(engine: Engine) -> list[dict[str, Any]]:
    """Those that stand, oldest first, each with what lifts it."""
    standing = Hold.objects.filter(engine=engine, cleared_at=None).order_by("placed_at", "id")
    return [{"hold": hold, "lifted_by": lifted_by(hold)} for hold in standing]


def lifted_by(hold: Hold) -> str:
    """What, and nothing else, ends this hold."""
    if hold.cause.startswith(DRIFT):
        return DRIFT_LIFTED_BY
    return LIFTED_BY_CAUSE.get(hold.cause, HOLD_LIFTED_BY[hold.kind])


def list_foreign_orders(engine: Engine) -> list[ForeignOrder]:
    """Working orders of the account that are not ours, as the newest look found them."""
    resting = ForeignOrder.objects.filter(engine=engine, gone_at=None)
    return list(resting.order_by("first_seen_at", "id"))
