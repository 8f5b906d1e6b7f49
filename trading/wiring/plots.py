"""Draws what the strategies of a market saw: stored bars and books through the real core."""

from dataclasses import fields
from uuid import UUID

import numpy as np

from tenants.scoping import tenant_scope
from trading.core import explain
from trading.core.config.pipeline import PipelineParams
from trading.core.config.plots import SHARED
from trading.core.config.strategies import PLOTS, STRATEGY_NAMES
from trading.core.params import InvalidParams
from trading.core.records import BAR, USED_BOOK
from trading.ledger.rows import to_datetime
from trading.models import Decision
from trading.queries import plots
from trading.queries.bars import CannotFeed
from trading.queries.charts import CHART_BARS, Charted, find_charted, tail_of

NAMES = (
    *(f".{plot.name}" for plot in SHARED),
    *(f"{name}.{plot.name}" for name in STRATEGY_NAMES for plot in PLOTS[name]),
)
NS = 1_000_000_000
LEAST_WARM_UP, MOST_WARM_UP = 600, 200_000
TIMES_THE_LONGEST = 10  # an exponential average forgets how it began: 2 in a billion is left


def draw_plots(*, tenant_id: UUID, engine_id: UUID, market_index: int) -> None:
    """Draw the bars a chart shows and keep the series; what forbids it is kept in words.

    Raises: as ``find_charted``.
    """
    with tenant_scope(tenant_id):
        charted = find_charted(engine_id=engine_id, market_index=market_index)
        try:
            plots.keep(charted, draw(charted))
        except (CannotFeed, InvalidParams) as error:
            plots.keep(charted, {"opened": b"", "values": b"", "names": (), "error": str(error)})


def draw(charted: Charted) -> plots.Drawn:
    """The series over the chart's bars.

    Raises:
        CannotFeed: nothing is stored for the market.
        InvalidParams: the revision is of another version.
    """
    from trading.core import pipeline, plotting  # loads the compiler

    params = plots.params_of(charted.market.revision)
    bars = tail_of(charted, count=CHART_BARS + warm_up_bars(params))
    markets = pipeline.new_markets(1)
    seconds = charted.market.revision.timeframe_seconds
    markets[0]["instrument"]["timeframe_ns"] = seconds * NS
    record = pipeline.new_params(params)
    series = plotting.draw_series(markets, record, bars, _books(charted, bars))[-CHART_BARS:]
    opened = np.ascontiguousarray(bars["open_ns"][-CHART_BARS:])
    return {"opened": opened.tobytes(), "values": series.tobytes(), "names": NAMES}


def warm_plots() -> None:
    """Compile the drawing, or load it from the cache."""
    from trading.core import pipeline, plotting

    bars, books = np.zeros(1, BAR), np.zeros(1, USED_BOOK)
    markets = pipeline.new_markets(1)
    markets[0]["instrument"]["timeframe_ns"] = NS
    plotting.draw_series(markets, pipeline.new_params(PipelineParams()), bars, books)


def warm_up_bars(params: PipelineParams) -> int:
    """How many bars before the first shown one the indicators need to be what the engine's were."""
    longest = max(
        int(getattr(group, one.name))
        for group in (getattr(params.strategies, name) for name in STRATEGY_NAMES)
        for one in fields(group)
        if one.metadata["unit"] == "bars"
    )
    frames = params.timeframes
    size = max((1, frames.second, frames.third)[frames.deciding], 1)
    return min(max(LEAST_WARM_UP, TIMES_THE_LONGEST * longest) * size, MOST_WARM_UP)


def _books(charted: Charted, bars: np.ndarray) -> np.ndarray:
    """The book each of the shown bars' decisions knew; none before."""
    books = np.zeros(len(bars), USED_BOOK)
    shown = bars["open_ns"][-CHART_BARS:]
    if not len(shown):
        return books
    rows = Decision.objects.filter(
        revision=charted.market.revision,
        instrument=charted.market.instrument,
        bar_opened_at__gte=to_datetime(int(shown[0])),
    ).values_list("record", flat=True)
    for record in rows.order_by("bar_opened_at", "id"):
        if explain.is_record(bytes(record)):
            decision = explain.read(bytes(record)).decision
            at = int(np.searchsorted(bars["open_ns"], decision["bar_open_ns"]))
            if at < len(bars) and bars["open_ns"][at] == decision["bar_open_ns"]:
                books[at] = decision["book"]
    return books
