"""Decisions by filter, newest first; one of them gate by gate, with what would have let it pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from trading.core import explain
from trading.core.codes import Gate, Reason, Stage
from trading.core.nearest import RULES, Change, Unit, smallest_change
from trading.ledger.rows import to_ns
from trading.models import Bot, BotInstrument, Decision
from trading.queries.bars import CannotFeed, bar_source
from trading.queries.places import Place, older_than
from trading.research.space import list_parameters

NS_PER_MS, NS_PER_SECOND = 1_000_000, 1_000_000_000
BARS_SHOWN, BARS_AFTER = 160, 40
STAGES = {stage.name.lower(): stage for stage in Stage}
REASONS = {reason.name.lower(): reason for reason in Reason}


@dataclass(frozen=True, slots=True)
class Sought:
    """Which decisions: of an account, a bot, a pair, a stage, a reason, a stretch of market time."""

    account: Any = None
    bot: Any = None
    pair: str = ""
    stage: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether some are left out."""
        return self != Sought()

    def conditions(self) -> dict[str, Any]:
        """For the rows."""
        asked = {
            "revision__bot__account": self.account,
            "revision__bot": self.bot,
            "instrument__symbol": self.pair or None,
            "stage": STAGES[self.stage] if self.stage else None,
            "reason": REASONS[self.reason] if self.reason else None,
            "bar_opened_at__gte": self.since,
            "bar_opened_at__lt": self.until,
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Told:
    """A decision with its words."""

    row: Decision
    words: Mapping[str, Any]

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return Place(self.row.bar_opened_at, self.row.id)

    @property
    def refusal(self) -> Mapping[str, Any] | None:
        """The gate that said no."""
        return next((g for g in self.words["gates"] if g["verdict"] == "refused"), None)


@dataclass(frozen=True, slots=True)
class ToldGate:
    """A gate as a decision met it."""

    number: int
    name: str
    asks: str
    unit: Unit
    must: str
    value: float | None
    limit: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One decision, gate by gate."""

    told: Told
    gates: Sequence[ToldGate]
    refused: ToldGate | None
    change: Change | None
    earlier: int | None
    later: int | None

    @property
    def asked(self) -> list[ToldGate]:
        """The gates the candidate met."""
        return [gate for gate in self.gates if gate.verdict != "not asked"]

    @property
    def not_asked(self) -> list[ToldGate]:
        """Those it did not come to."""
        return [gate for gate in self.gates if gate.verdict == "not asked"]


def list_decisions(sought: Sought, *, before: Place | None, most: int) -> list[Told]:
    """Decisions before a place in the list, newest bar first."""
    fitting = Decision.objects.filter(**sought.conditions())
    found = older_than(fitting, before, time="bar_opened_at", key="id")
    rows = found.select_related("instrument", "revision__bot").order_by("-bar_opened_at", "-id")
    return [Told(row, describe_row(row)) for row in rows[:most]]


def list_bots() -> list[Bot]:
    """The workspace's bots, for choosing one."""
    return list(Bot.objects.order_by("name", "id"))


def list_pairs() -> list[str]:
    """The pairs its bots trade."""
    found = BotInstrument.objects.values_list("instrument__symbol", flat=True)
    return sorted(set(found))


def get_decision(*, decision_id: int) -> Explained:
    """One decision with its gates.

    Raises:
        Decision.DoesNotExist: no such decision in this workspace.
    """
    row = _row(decision_id)
    told = Told(row, describe_row(row))
    gates = [_tell(gate, stored) for gate, stored in zip(Gate, told.words["gates"], strict=False)]
    refused = next((one for one in gates if one.verdict == "refused"), None)
    market = Decision.objects.filter(revision__bot=row.revision.bot, instrument=row.instrument)
    at = row.bar_opened_at
    earlier = market.filter(bar_opened_at__lt=at).order_by("-bar_opened_at", "-id")
    later = market.filter(bar_opened_at__gt=at).order_by("bar_opened_at", "id")
    return Explained(
        told, gates, refused, _change(row, refused),
        earlier.values_list("id", flat=True).first(), later.values_list("id", flat=True).first(),
    )  # fmt: skip


def get_chart(*, decision_id: int) -> dict[str, Any]:
    """The bars around a decision, as the dashboard's chart takes them.

    Raises:
        Decision.DoesNotExist: no such decision in this workspace.
    """
    row = _row(decision_id)
    market = Decision.objects.filter(revision=row.revision, instrument=row.instrument)
    newest = market.order_by("-bar_opened_at", "-id").values_list("bar_opened_at", flat=True)[0]
    seconds = row.revision.timeframe_seconds
    wanted_ns = to_ns(row.bar_opened_at) + BARS_AFTER * seconds * NS_PER_SECOND
    return {
        "symbol": row.instrument.symbol,
        "price_step": f"{row.instrument.tick_size.normalize():f}",
        "timeframe_seconds": seconds,
        "bars": _bars(row, before_ns=min(wanted_ns, to_ns(newest)) + 1),
        "fills": [],
        "stops": [],
        "equity": [],
    }


def _bars(row: Decision, *, before_ns: int) -> list[dict[str, Any]]:
    try:
        source = bar_source(
            venue=row.revision.bot.account.venue,
            instrument=row.instrument,
            timeframe_seconds=row.revision.timeframe_seconds,
        )
    except CannotFeed:
        return []
    return [
        {
            "open_ms": int(bar["open_ns"]) // NS_PER_MS,
            **{name: float(bar[name]) for name in ("open", "high", "low", "close", "volume")},
        }
        for bar in source.tail(before_ns=before_ns, count=BARS_SHOWN)
    ]


@lru_cache(maxsize=1024)
def _described(record: bytes) -> Mapping[str, Any]:
    """The words of a record, which are its own whoever asks: lists show the same ones again and again."""
    return MappingProxyType(explain.describe(explain.read(record)))


def describe_row(row: Decision) -> Mapping[str, Any]:
    """A stored decision in words; of a core with another layout, stage and reason alone."""
    try:
        return _described(bytes(row.record))
    except ValueError:
        return {
            **dict.fromkeys((*explain.NUMBERS, "agreeing", "opposing")),
            **dict.fromkeys(("regime", "volatility", "side", "strategy"), ""),
            "bar_open_ms": to_ns(row.bar_opened_at) // NS_PER_MS,
            "stage": row.get_stage_display(),
            "reason": row.get_reason_display(),
            "sentence": f"{explain.SENTENCES[Reason(row.reason)]} (An earlier core; no details.)",
            "votes": [],
            "gates": [],
        }


def _row(decision_id: int) -> Decision:
    found: Decision = Decision.objects.select_related("instrument", "revision__bot__account").get(
        id=decision_id
    )
    return found


def _tell(gate: Gate, stored: Mapping[str, Any]) -> ToldGate:
    rule = RULES[gate]
    return ToldGate(
        number=gate + 1,
        name=stored["name"],
        asks=rule.asks,
        unit=rule.unit,
        must=rule.must.value,
        value=stored["value"],
        limit=stored["limit"],
        verdict=stored["verdict"],
    )


def _change(row: Decision, refused: ToldGate | None) -> Change | None:
    if refused is None or refused.value is None or refused.limit is None:
        return None
    return smallest_change(
        Gate(refused.number - 1),
        value=refused.value,
        limit=refused.limit,
        params=row.revision.params,
        bounds={one["name"]: one for one in list_parameters()},
    )
