"""What keeps an engine from entering and what lifts it, its alerts, and orders that are not ours."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from trading.models import Alert, Engine, ForeignOrder, Hold
from trading.queries.places import Place, older_than

LIFTED_BY_CAUSE = {
    "kill": "an owner revives it",
    "lapsed": "a paid subscription lifts it",
    "suspended": "the operator of this installation lifts it",
    "exchange key": "a good check of the account's key lifts it",
    "clock": "a look at the venue's clock that agrees lifts it",
    "unknown order": "the venue's word on the order lifts it",
    "sale of what is not held": "the engine lifts it, and pauses entries instead",
    "slow journal": "three quick commits in a row lift it",
    "blocked loop": "five seconds without another standstill lift it",
}
LIFTED_BY_BEGINNING = {
    "drift:": "a look at the account that agrees with our books lifts it",
    "changed:": "the engine puts the order right, and a look that finds it so lifts it",
}
HOLD_LIFTED_BY = {
    "OPERATOR": "Resume lifts it",
    "BREAKER": "lifts when its cause is gone",
    "BILLING": "an active workspace lifts it",
    "DATA": "fresh news from the venue lifts it",
    "RISK": "lifts when the limit allows",
}


@dataclass(frozen=True, slots=True)
class Alerts:
    """Which alerts: of an engine, and of a stretch of time (from, to)."""

    engine: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_alerts(wanted: Alerts, *, before: Place | None, most: int) -> list[Alert]:
    """Breakers that tripped, after a place in the list, newest first."""
    bounds = {
        "engine": wanted.engine,
        "raised_at__gte": wanted.since,
        "raised_at__lt": wanted.until,
    }
    given = {name: value for name, value in bounds.items() if value is not None}
    found = older_than(Alert.objects.filter(**given), before, time="raised_at", key="id")
    return list(found.select_related("engine__account").order_by("-raised_at", "-id")[:most])


def list_holds(engine: Engine) -> list[dict[str, Any]]:
    """Those that stand, oldest first, each with what lifts it."""
    standing = Hold.objects.filter(engine=engine, cleared_at=None).order_by("placed_at", "id")
    return [{"hold": hold, "lifted_by": lifted_by(hold)} for hold in standing]


def lifted_by(hold: Hold) -> str:
    """What, and nothing else, ends this hold."""
    for beginning, words in LIFTED_BY_BEGINNING.items():
        if hold.cause.startswith(beginning):
            return words
    return LIFTED_BY_CAUSE.get(hold.cause, HOLD_LIFTED_BY[hold.kind])


def list_foreign_orders(engine: Engine) -> list[ForeignOrder]:
    """Working orders of the account that are not ours, as the newest look found them."""
    resting = ForeignOrder.objects.filter(engine=engine, gone_at=None)
    return list(resting.order_by("first_seen_at", "id"))
