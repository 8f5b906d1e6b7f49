"""Holds what an engine did against a backtest of the same bars: decisions, fills, books."""

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest

import numpy as np
from django.db import connection, transaction
from django.db.models import Sum

from tenants.scoping import tenant_scope
from trading.backtest import runner
from trading.core import explain
from trading.core.codes import Gate, Reason
from trading.core.records import BAR, FEE_UNITS_PER_QUOTE, USED_BOOK
from trading.engine.state import new_markets
from trading.ledger import rows
from trading.models import Decision, Fill, LedgerEntry, OrderIntent, Position
from trading.queries.bars import bar_source, is_wired
from trading.queries.markets import EngineMarket
from trading.wiring.feeds import first_ns
from trading.wiring.plans import CannotRun, Plan, read_plan

MOST_DIFFERENCES = 20
NO_BOOK = np.array((0, *[np.nan] * 5), USED_BOOK)[()]
Key = tuple[int, int]  # market, open time


@dataclass(frozen=True, slots=True)
class Parity:
    """What was compared, and every difference found (the first ones in words)."""

    decisions: int
    fills: int
    differing: int
    differences: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether not one byte differs."""
        return self.differing == 0


class _Differences:
    """Counts all, keeps the first in words."""

    def __init__(self) -> None:
        self.count = 0
        self.words: list[str] = []

    def add(self, words: str) -> None:
        self.count += 1
        if len(self.words) < MOST_DIFFERENCES:
            self.words.append(words)


def check_parity(*, tenant_id: str, engine_id: str) -> Parity:
    """Backtest the bars an engine decided on and compare everything it left behind.

    Raises:
        CannotRun, CannotFeed: the engine's rows or bars are missing, or its account started over.
    """
    plan = read_plan(tenant_id=tenant_id, engine_id=engine_id)
    with one_view(), tenant_scope(tenant_id):
        if LedgerEntry.objects.filter(account=plan.account, book="CLOSED").exists():
            raise CannotRun(
                f"{plan.account} started over since; no backtest has its two beginnings"
            )
        held, known, opens = _standing(plan)
        series = [_decided_bars(plan, market, opens[market.index]) for market in plan.markets]
        begun = [_begun_bars(plan, market, series[market.index]) for market in plan.markets]
        undecided = {(m, at) for m, bars in enumerate(begun) for at in bars["open_ns"].tolist()}
        series = [np.concatenate(pair) for pair in zip(series, begun, strict=True)]
        bars, index = runner.merge(series)
        keys = list(zip(index.tolist(), bars["open_ns"].tolist(), strict=True))
        books = np.array([known.get(key, NO_BOOK) for key in keys], USED_BOOK)
        result = runner.run(
            held=np.array([held.get(key, 0) for key in keys], "i8"),
            books=books if known else runner.NO_BOOKS,
            series=series,
            markets=new_markets(plan.specs),
            params=plan.params,
            cash=float(_paid_in(plan)),
        )
        found = _Differences()
        _compare_decisions(plan, result, undecided, found)
        fills = _compare_fills(plan, result, undecided, found)
        _check_books(plan, found)
    decisions = len(result.decisions) - len(undecided)
    return Parity(decisions, fills, found.count, tuple(found.words))


@contextmanager
def one_view() -> Iterator[None]:
    """One unchanging view of the database, so that a running engine may go on meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _paid_in(plan: Plan) -> Decimal:
    booked = LedgerEntry.objects.filter(account=plan.account, book="CAPITAL")
    return -(booked.aggregate(total=Sum("amount"))["total"] or Decimal(0))


def _standing(plan: Plan) -> tuple[dict[Key, int], dict[Key, np.void], dict[int, "array[int]"]]:
    """(holds and books by market and bar, open times decided on) of the stored decisions."""
    held, known = dict[Key, int](), dict[Key, np.void]()
    opens = {market.index: array("q") for market in plan.markets}
    for market, record in _stored_decisions(plan):
        size = explain.DECISION.itemsize
        head = np.frombuffer(record[:size].ljust(size, b"\0"), explain.DECISION)[0]
        open_ns = int(head["bar_open_ns"])
        opens[market].append(open_ns)
        if bits := _held(record):
            held[market, open_ns] = bits
        if explain.is_record(record) and head["book"]["time_ns"]:
            known[market, open_ns] = head["book"]
    return held, known, opens


def _held(record: bytes) -> int:
    """Bits of the holds that stood at a decision, as far as they mattered to it.

    A hold comes from outside (a person, a silent venue): the backtest is told of it, not asked.
    """
    try:
        read = explain.read(record)
    except ValueError:  # another core decided; the comparison will say so
        return 0
    if read.detail is None or int(read.decision["reason"]) != Reason.HELD:
        return 0
    return int(read.detail["gates"][Gate.HOLDS]["value"])


def _decided_bars(plan: Plan, market: EngineMarket, opens: "array[int]") -> np.ndarray:
    """The bars from where the engine began to the last one it decided on.

    Of a venue's recorded bars those it decided on: other engines record there, too.
    """
    last = (
        Decision.objects.filter(revision=market.revision, instrument=market.instrument)
        .order_by("-bar_opened_at", "-id")
        .first()
    )
    if last is None:
        return np.zeros(0, BAR)
    end_ns = rows.to_ns(last.bar_opened_at) + 1
    found = _bars(plan, market, start_ns=first_ns(plan.engine), end_ns=end_ns)
    if not is_wired(plan.account.venue):
        return found
    return found[np.isin(found["open_ns"], np.array(opens, "i8"))]


def _begun_bars(plan: Plan, market: EngineMarket, decided: np.ndarray) -> np.ndarray:
    """The bar an engine had fills in when it ended, or is looked at, before it has decided on it."""
    if not len(decided):
        return decided
    booked = Fill.objects.filter(
        account=plan.account,
        order__intent__bot=market.bot,
        order__intent__instrument=market.instrument,
    )
    last = booked.order_by("-filled_at", "-id").first()
    if last is None or rows.to_ns(last.filled_at) <= decided["open_ns"][-1]:
        return decided[:0]
    at_ns = rows.to_ns(last.filled_at)
    return _bars(plan, market, start_ns=at_ns, end_ns=at_ns + 1)


def _bars(plan: Plan, market: EngineMarket, *, start_ns: int, end_ns: int) -> np.ndarray:
    source = bar_source(
        venue=plan.account.venue,
        instrument=market.instrument,
        timeframe_seconds=market.revision.timeframe_seconds,
    )
    return np.concatenate([np.zeros(0, BAR), *source.iter_bars(start_ns=start_ns, end_ns=end_ns)])


def _stored_decisions(plan: Plan) -> Iterator[tuple[int, bytes]]:
    """(market, record) of every stored decision, in the order of the backtest's."""
    market_of = {(s.revision_id, s.instrument_id): s.index for s in plan.specs}
    stored = (
        Decision.objects.filter(revision_id__in={s.revision_id for s in plan.specs})
        .order_by("bar_opened_at", "id")
        .values_list("revision_id", "instrument_id", "record")
    )
    for revision_id, instrument_id, record in stored.iterator(chunk_size=5000):
        yield market_of[str(revision_id), instrument_id], bytes(record)


def _compare_decisions(
    plan: Plan, result: runner.Result, undecided: set[Key], found: _Differences
) -> None:
    opens = result.decisions["bar_open_ns"].tolist()
    keys = zip(result.decision_market.tolist(), opens, strict=True)
    expected = (
        (key[0], record)
        for key, record in zip(keys, result.records(), strict=True)
        if key not in undecided
    )
    for theirs, ours in zip_longest(expected, _stored_decisions(plan)):
        if theirs is None or ours is None:
            found.add("one side has more decisions" if found.count < 1 else "another decision more")
            continue
        market, record = theirs
        if (market, record) != ours:
            found.add(_describe(record, ours[1]))


def _describe(expected: bytes, stored: bytes) -> str:
    wanted = explain.describe(explain.read(expected))
    try:
        got = explain.describe(explain.read(stored))
    except ValueError as error:
        return f"bar {wanted['bar_open_ms']}: {error} (decided by another version of the core)"
    fields = [name for name in wanted if wanted[name] != got[name]]
    shown = "; ".join(
        f"{name}: backtest {wanted[name]}, engine {got[name]}"
        for name in fields
        if not isinstance(wanted[name], list)
    )
    return f"bar {wanted['bar_open_ms']}: {shown or ', '.join(fields)}"


def _compare_fills(
    plan: Plan, result: runner.Result, undecided: set[Key], found: _Differences
) -> int:
    """How many were compared; what a bar still brings while it is undecided is not missing yet."""
    stored = Fill.objects.filter(account=plan.account).select_related("order__intent")
    by_key: dict[tuple[int, int, int], tuple[object, ...]] = {}  # a limit fills once a bar at most
    market_of = {(s.bot_id, s.instrument_id): s.index for s in plan.specs}
    for fill in stored.order_by("id"):
        intent = fill.order.intent
        market = market_of[str(intent.bot_id), intent.instrument_id]
        key = (market, intent.seq, rows.to_ns(fill.filled_at))
        if key in by_key:
            found.add(f"order {key} was filled twice at once")
        by_key[key] = (fill.filled_at, fill.side, fill.quantity, fill.price, fill.fee)
    compared = 0
    for market, record in zip(result.fill_market.tolist(), result.fills, strict=True):
        spec = plan.specs[market]
        key = (market, int(record["intent_seq"]), int(record["time_ns"]))
        expected = (
            rows.to_datetime(int(record["time_ns"])),
            "BUY" if record["side"] > 0 else "SELL",
            rows.quantity(spec, int(record["quantity_lots"])),
            rows.price(spec, int(record["price_ticks"])),
            Decimal(int(record["fee_units"])) / FEE_UNITS_PER_QUOTE,
        )
        booked = by_key.pop(key, None)
        if booked is None and (market, key[2]) in undecided:
            continue
        compared += 1
        if booked != expected:
            found.add(f"fill of order {key} is missing or differs: backtest {expected}")
    for key in by_key:
        found.add(f"fill of order {key} is not in the backtest")
    return compared


def _check_books(plan: Plan, found: _Differences) -> None:
    """Books that must agree whatever was traded."""
    entries = LedgerEntry.objects.filter(account=plan.account)
    for row in entries.values("posting", "currency").annotate(total=Sum("amount")):
        if row["total"] != 0:
            found.add(f"posting {row['posting']} is off by {row['total']} {row['currency']}")
    for spec in plan.specs:
        claimed = entries.filter(book__in=("ASSETS", "DUST"), currency=spec.base)
        held = claimed.aggregate(t=Sum("amount"))["t"]
        open_positions = Position.objects.filter(
            bot_id=spec.bot_id, instrument_id=spec.instrument_id, closed_at=None
        )
        booked = sum((p.quantity if p.side == "LONG" else -p.quantity) for p in open_positions)
        same_base = [s for s in plan.specs if s.base == spec.base]
        if len(same_base) == 1 and (held or Decimal(0)) != booked:
            found.add(f"{spec.base}: the ledger holds {held}, positions say {booked}")
    doubled = (
        OrderIntent.objects.filter(engine=plan.engine)
        .exclude(state__in=["REFUSED", "EXPIRED"])
        .annotate(filled=Sum("orders__filled_quantity"))
    )
    for intent in doubled.iterator(chunk_size=2000):
        if intent.filled and intent.filled > intent.quantity:
            found.add(f"intent {intent.seq} filled {intent.filled} of {intent.quantity}")
