"""One market of an engine as a chart shows it: bars, fills, stops, scores and equity."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from trading.core import explain
from trading.core.codes import Abstain, Regime
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.ledger.rows import to_ns
from trading.models import Decision, Engine, Fill
from trading.queries.bars import CannotFeed, bar_source
from trading.queries.markets import EngineMarket, list_markets

NS_PER_MS = 1_000_000
CHART_BARS = 500
EQUITY_POINTS = 300
EQUITY_BARS = 4 * CHART_BARS
VOTED = int(Abstain.VOTED)


@dataclass(frozen=True, slots=True)
class Charted:
    """A market, and the opening of the newest bar its engine decided on; 0 before the first."""

    engine: Engine
    market: EngineMarket
    last_ns: int


def find_charted(*, engine_id: UUID, market_index: int) -> Charted:
    """One market of an engine.

    Raises:
        Engine.DoesNotExist: no such engine in this workspace.
        IndexError: the engine has no such market.
    """
    engine = Engine.objects.select_related("account").get(id=engine_id)
    market = list_markets(account_id=engine.account_id)[market_index]
    newest = _decisions(market).values_list("bar_opened_at", flat=True).first()
    return Charted(engine, market, to_ns(newest) if newest else 0)


def get_chart(*, engine_id: UUID, market_index: int) -> dict[str, Any]:
    """Bars up to the last one decided on, and what was decided, done and earned on them.

    Raises: as ``find_charted``.
    """
    charted = find_charted(engine_id=engine_id, market_index=market_index)
    engine, market = charted.engine, charted.market
    bars = list_bars(charted, count=CHART_BARS)
    since = bars[0]["open_ms"] if bars else 0
    records = _records(market, count=EQUITY_BARS)
    shown = [one for one in records if int(one.decision["bar_open_ns"]) >= since * NS_PER_MS]
    return {
        "symbol": market.instrument.symbol,
        "price_step": plain(market.instrument.tick_size),
        "timeframe_seconds": market.revision.timeframe_seconds,
        "bars": bars,
        "fills": [fill for fill in _fills(engine, market) if fill["filled_ms"] >= since],
        "stops": list(_stops(shown, float(market.instrument.tick_size))),
        "scores": [_score(one) for one in shown],
        "equity": _equity(records),
    }


def plain(value: Decimal) -> str:
    """A stored decimal without trailing zeros."""
    return f"{value.normalize():f}"


def tail_of(charted: Charted, *, count: int) -> np.ndarray:
    """The last bars up to the newest decided on, oldest first.

    Raises:
        CannotFeed: nothing is stored for the market.
    """
    source = bar_source(
        venue=charted.engine.account.venue,
        instrument=charted.market.instrument,
        timeframe_seconds=charted.market.revision.timeframe_seconds,
    )
    return source.tail(before_ns=charted.last_ns + 1, count=count)


def list_bars(charted: Charted, *, count: int) -> list[dict[str, Any]]:
    """The last bars; none where nothing was decided or nothing is stored."""
    if not charted.last_ns:
        return []
    try:
        bars = tail_of(charted, count=count)
    except CannotFeed:
        return []
    return [
        {
            "open_ms": int(bar["open_ns"]) // NS_PER_MS,
            **{name: float(bar[name]) for name in ("open", "high", "low", "close", "volume")},
        }
        for bar in bars
    ]


def _decisions(market: EngineMarket) -> Any:  # a queryset, whose type django-stubs cannot name
    return Decision.objects.filter(revision=market.revision, instrument=market.instrument).order_by(
        "-bar_opened_at", "-id"
    )


def _records(market: EngineMarket, *, count: int) -> list[explain.Record]:
    """The newest decisions of this core's layout, oldest first."""
    newest = _decisions(market).values_list("record", flat=True)[:count]
    return [explain.read(bytes(r)) for r in reversed(newest) if explain.is_record(bytes(r))]


def _fills(engine: Engine, market: EngineMarket) -> list[dict[str, Any]]:
    newest = (
        Fill.objects.filter(account=engine.account, order__intent__instrument=market.instrument)
        .select_related("order__intent")
        .order_by("-filled_at", "-id")[:200]
    )
    return [
        {
            "filled_ms": to_ns(fill.filled_at) // NS_PER_MS,
            "side": fill.side,
            "price": plain(fill.price),
            "quantity": plain(fill.quantity),
            "purpose": fill.order.intent.get_purpose_display(),
            "reason": fill.order.intent.get_exit_reason_display(),
        }
        for fill in reversed(newest)
    ]


def _stops(records: Sequence[explain.Record], tick: float) -> Iterator[dict[str, Any]]:
    """Where the stop stood after each bar on which a position was held."""
    for one in records:
        d = one.decision
        if d["position_lots"] and d["stop_ticks"]:
            yield {"open_ms": _ms(d), "price": round(int(d["stop_ticks"]) * tick, 12)}


def _score(one: explain.Record) -> dict[str, Any]:
    """What a bar's votes made together, signed by the candidate's side; null: no candidate."""
    d, side = one.decision, int(one.decision["side"])
    return {
        "open_ms": _ms(d),
        "score": round(side * float(d["score"]), 4) if side else None,
        "confidence": round(float(d["confidence"]), 4) if side else None,
        "regime": explain.words(Regime(int(d["regime"]))),
        "votes": _votes(one),
    }


def _votes(one: explain.Record) -> dict[str, float]:
    if one.detail is None:
        return {}
    votes = one.detail["votes"]
    cast = np.flatnonzero(votes["abstain"] == VOTED)
    return {STRATEGY_NAMES[k]: round(float(votes["score"][k]), 4) for k in cast}


def _equity(records: Sequence[explain.Record]) -> list[tuple[int, float]]:
    """(ms, equity) of the newest decisions, thinned to a few hundred points."""
    step = max(1, len(records) // EQUITY_POINTS)
    return [(_ms(one.decision), round(float(one.decision["equity"]), 2)) for one in records[::step]]


def _ms(decision: np.void) -> int:
    return int(decision["bar_open_ns"]) // NS_PER_MS
