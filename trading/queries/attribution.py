"""Where closed trades made and lost money: by strategy, regime, pair, side, reason of exit or bot."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from trading.core import explain
from trading.core.codes import ExitReason, Regime
from trading.core.config.strategies import STRATEGY_NAMES
from trading.queries.chapters import Which, positions_of
from trading.queries.history import Wanted, with_entry
from trading.queries.performance import Closed

ROWS_AT_ONCE = 1000
UNKNOWN = "unknown"
FIELDS = ("bot__account", "bot__account__label", "instrument__quote", "bot__name",
          "instrument__symbol", "side", "exit_reason", "fees", "realized_pnl", "record")  # fmt: skip


@dataclass(slots=True)
class Part:
    """The closed trades of one account and currency that share one value."""

    account_id: UUID
    account: str
    currency: str
    value: str
    closed: Closed = field(default_factory=Closed)
    fees: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        """Made or lost, fees included."""
        return self.closed.gained - self.closed.lost

    @property
    def gross(self) -> Decimal:
        """Made or lost before fees."""
        return self.net + self.fees


Row = Mapping[str, Any]


def _strategy(row: Row) -> str:
    entry = _entry(row)
    if entry is None or int(entry["strategy"]) < 0:
        return UNKNOWN
    return STRATEGY_NAMES[int(entry["strategy"])]


def _regime(row: Row) -> str:
    entry = _entry(row)
    return UNKNOWN if entry is None else explain.words(Regime(int(entry["regime"])))


def _entry(row: Row) -> Any:
    """The decision it was entered on; None where none is on record, or of another core."""
    record = row["record"]
    if record is None or not explain.is_record(bytes(record)):
        return None
    return explain.read(bytes(record)).decision


WAYS: Mapping[str, Callable[[Row], str]] = {
    "strategy": _strategy,
    "regime": _regime,
    "pair": lambda row: str(row["instrument__symbol"]),
    "side": lambda row: str(row["side"]),
    "exit_reason": lambda row: explain.words(ExitReason(row["exit_reason"])),
    "bot": lambda row: str(row["bot__name"]),
}


def attribute(wanted: Wanted, *, by: str, chapter: Which) -> list[Part]:
    """Closed trades split one way; the best of an account and currency first, nothing converted.

    Raises:
        NoSuchChapter: the account has no such chapter.
    """
    value_of = WAYS[by]
    found: dict[tuple[UUID, str, str], Part] = {}
    for row in _closed(wanted, chapter):
        key = (row["bot__account"], row["instrument__quote"], value_of(row))
        if key not in found:
            found[key] = Part(key[0], row["bot__account__label"], key[1], key[2])
        found[key].closed.add(row["realized_pnl"])
        found[key].fees += row["fees"]
    return sorted(
        found.values(), key=lambda one: (one.account, one.account_id, one.currency, -one.net)
    )


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """One strategy by currency; without a trade, no parts."""

    strategy: str
    parts: list[Part]


def strategy_results(wanted: Wanted, *, chapter: Which) -> list[StrategyResult]:
    """Every strategy in the order of votes, also those that never led to a trade.

    Raises:
        NoSuchChapter: the account has no such chapter.
    """
    parts: dict[str, list[Part]] = defaultdict(list)
    for part in attribute(wanted, by="strategy", chapter=chapter):
        parts[part.value].append(part)
    known = [StrategyResult(name, parts[name]) for name in STRATEGY_NAMES]
    rest = [StrategyResult(UNKNOWN, parts[UNKNOWN])] if UNKNOWN in parts else []
    return known + rest


def _closed(wanted: Wanted, chapter: Which) -> Iterator[dict[str, Any]]:
    """In the order they closed, in constant memory."""
    asked = {
        "bot": wanted.bot_id,
        "instrument__symbol": wanted.pair,
        "closed_at__gte": wanted.since,
        "closed_at__lt": wanted.until,
    }
    given = {path: value for path, value in asked.items() if value is not None}
    counted = positions_of(account_id=wanted.account_id, chapter=chapter)
    closed = with_entry(counted.exclude(closed_at=None)).filter(**given)
    rows = closed.order_by("closed_at", "id").values(*FIELDS)
    return rows.iterator(chunk_size=ROWS_AT_ONCE)
