"""How orders were executed: what filled, how far from the price decided on, how soon, at what fee."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import Avg, Count, DecimalField, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from trading.core import explain
from trading.core.codes import Liquidity, Purpose
from trading.models import Fill, OrderIntent
from trading.queries.entries import record_at
from trading.queries.history import Wanted

INTENT = "order__intent"
MOST_FILLS = 2_000
BPS = 10_000
MONEY = DecimalField(max_digits=38, decimal_places=18)
RESTING = (Purpose.PROTECT, Purpose.MOVE_STOP)  # most stops are cancelled, as they should be
ENDED = (OrderIntent.State.DONE, OrderIntent.State.REFUSED, OrderIntent.State.EXPIRED)
FIELDS = ("account", f"{INTENT}__purpose", "side", "quantity", "price", "fee", "fee_currency",
          "liquidity", "filled_at", f"{INTENT}__planned_at", f"{INTENT}__stop_price",
          f"{INTENT}__instrument__quote", "record")  # fmt: skip


@dataclass(slots=True)
class Measured:
    """What the newest fills of one account and purpose say; notional in the quote currency."""

    slippage_bps: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    fills: int = 0
    notional: float = 0.0
    maker_notional: float = 0.0
    fee_notional: float = 0.0
    fees: float = 0.0

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one fill."""
        price, quantity = float(row["price"]), float(row["quantity"])
        notional = price * quantity
        self.fills += 1
        self.notional += notional
        self.maker_notional += notional * (row["liquidity"] == Liquidity.MAKER)
        if row["fee_currency"] == row[f"{INTENT}__instrument__quote"]:
            self.fee_notional += notional
            self.fees += float(row["fee"])
        wait: timedelta = row["filled_at"] - row[f"{INTENT}__planned_at"]
        self.seconds.append(wait.total_seconds())
        meant = _meant_price(row)
        if meant:
            sign = 1 if row["side"] == "BUY" else -1
            self.slippage_bps.append(sign * (price - meant) / meant * BPS)


@dataclass(frozen=True, slots=True)
class Execution:
    """Of one account and one purpose."""

    account_id: UUID
    account: str
    purpose: str
    intents: int
    filled: int
    refused: int
    expired: int
    unknown: int
    fill_ratio: float | None
    measured: Measured

    @property
    def maker_share(self) -> float | None:
        """Of the notional."""
        return _share(self.measured.maker_notional, self.measured.notional)

    @property
    def fee_bps(self) -> float | None:
        """Of the notional whose fee was taken in the quote currency."""
        paid = _share(self.measured.fees, self.measured.fee_notional)
        return None if paid is None else paid * BPS

    @property
    def slippage_bps(self) -> Mapping[str, float | None]:
        """Worse than the price decided on is above 0."""
        return _spread(self.measured.slippage_bps)

    @property
    def seconds_to_fill(self) -> Mapping[str, float | None]:
        """Market time from the decision to a fill."""
        return _spread(self.measured.seconds)


def list_execution(wanted: Wanted) -> list[Execution]:
    """By account and purpose: counts over every intent, measures over the newest fills."""
    measured: dict[tuple[UUID, int], Measured] = defaultdict(Measured)
    for row in _newest_fills(wanted):
        measured[row["account"], row[f"{INTENT}__purpose"]].add(row)
    return [
        Execution(
            account_id=row["engine__account"],
            account=row["engine__account__label"],
            purpose=Purpose(row["purpose"]).name.lower().replace("_", " "),
            intents=row["intents"],
            filled=row["filled"],
            refused=row["refused"],
            expired=row["expired"],
            unknown=row["unknown"],
            fill_ratio=None if row["purpose"] in RESTING else row["ratio"],
            measured=measured[row["engine__account"], row["purpose"]],
        )
        for row in _counts(wanted)
    ]


def _counts(wanted: Wanted) -> Iterable[Mapping[str, Any]]:
    state = OrderIntent.State
    done = Fill.objects.filter(order__intent=OuterRef("id")).order_by().values("order__intent")
    got = Coalesce(Subquery(done.annotate(total=Sum("quantity")).values("total")), Value(0, MONEY))
    intents = OrderIntent.objects.filter(**given(wanted, "engine__account", "", "planned_at"))
    return (
        intents.annotate(got=got)
        .values("engine__account", "engine__account__label", "purpose")
        .annotate(
            intents=Count("id"),
            filled=Count("id", filter=Q(got__gt=0)),
            refused=Count("id", filter=Q(state=state.REFUSED)),
            expired=Count("id", filter=Q(state=state.EXPIRED)),
            unknown=Count("id", filter=Q(state=state.UNKNOWN)),
            ratio=Avg(F("got") / F("quantity"), filter=Q(state__in=ENDED)),
        )
        .order_by("engine__account__label", "engine__account", "purpose")
    )


def _newest_fills(wanted: Wanted) -> Iterable[Mapping[str, Any]]:
    chosen = Fill.objects.filter(**given(wanted, "account", f"{INTENT}__", "filled_at"))
    newest = list(chosen.order_by("-filled_at", "-id").values_list("id", flat=True)[:MOST_FILLS])
    record = record_at(
        bot=f"{INTENT}__bot", instrument=f"{INTENT}__instrument", planned_at=f"{INTENT}__planned_at"
    )
    return Fill.objects.filter(id__in=newest).annotate(record=record).order_by("id").values(*FIELDS)


def given(wanted: Wanted, account: str, intent: str, time: str) -> dict[str, Any]:
    """What is wanted, by the paths that lead there."""
    asked = {
        account: wanted.account_id,
        f"{intent}bot": wanted.bot_id,
        f"{intent}instrument__symbol": wanted.pair,
        f"{time}__gte": wanted.since,
        f"{time}__lt": wanted.until,
    }
    return {path: value for path, value in asked.items() if value is not None}


def _meant_price(row: Mapping[str, Any]) -> float | None:
    """A stop's own price; of anything else, the close of the bar it was decided on."""
    if row[f"{INTENT}__purpose"] in RESTING:
        stop = row[f"{INTENT}__stop_price"]
        return None if stop is None else float(stop)
    record = row["record"]
    if record is None or not explain.is_record(bytes(record)):
        return None
    return float(explain.read(bytes(record)).decision["close"])


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _spread(values: Sequence[float]) -> Mapping[str, float | None]:
    if not values:
        return dict.fromkeys(("mean", "median", "p95"))
    mean, (median, p95) = np.mean(values), np.percentile(values, (50, 95))
    return {"mean": float(mean), "median": float(median), "p95": float(p95)}
