"""What strategies saw, bar by bar, as series for a chart: the pipeline's own state, read back.

A door like those of ``pipeline``: bars go through the same ``observe``; nothing is decided.
"""

import numpy as np

from trading.core import beside, pipeline
from trading.core import timeframes as frames_of
from trading.core.config.plots import SHARED, Plot
from trading.core.config.strategies import PLOTS
from trading.core.jit import kernel, stage
from trading.core.strategies import (
    breakout,
    funding_rate,
    ichimoku,
    keltner,
    market_structure,
    mean_reversion,
    momentum,
    order_flow,
    reversal,
    rsi_mean_reversion,
    stochastic_divergence,
    supertrend,
    trend,
    volatility_squeeze,
    vwap_momentum,
)

SERIES: tuple[tuple[str, Plot], ...] = (  # (strategy, what it plots); shared ones have none
    *(("", plot) for plot in SHARED),
    *((name, plot) for name, plots in PLOTS.items() for plot in plots),
)
N = len(SERIES)
AT = tuple(
    next(k for k, (owner, _) in enumerate(SERIES) if owner == name) for name in PLOTS
)  # where each strategy's series begin


@kernel
def draw(s, p, now, out):
    """The series of every strategy that is on; those that are off keep what ``out`` holds."""
    out[0], out[1] = now.rsi, now.adx
    if p.trend.weight > 0.0:
        trend.draw(s.trend, p.trend, now, out[AT[0] :])
    if p.mean_reversion.weight > 0.0:
        mean_reversion.draw(s.mean_reversion, p.mean_reversion, now, out[AT[1] :])
    if p.breakout.weight > 0.0:
        breakout.draw(s.breakout, p.breakout, now, out[AT[2] :])
    if p.momentum.weight > 0.0:
        momentum.draw(s.momentum, p.momentum, now, out[AT[3] :])
    if p.reversal.weight > 0.0:
        reversal.draw(s.reversal, p.reversal, now, out[AT[4] :])
    if p.keltner.weight > 0.0:
        keltner.draw(s.keltner, p.keltner, now, out[AT[5] :])
    if p.ichimoku.weight > 0.0:
        ichimoku.draw(s.ichimoku, p.ichimoku, now, out[AT[6] :])
    if p.order_flow.weight > 0.0:
        order_flow.draw(s.order_flow, p.order_flow, now, out[AT[7] :])
    draw_more(s, p, now, out)


@kernel
def draw_more(s, p, now, out):
    """The second half of them."""
    if p.stochastic_divergence.weight > 0.0:
        stochastic_divergence.draw(
            s.stochastic_divergence, p.stochastic_divergence, now, out[AT[8] :]
        )
    if p.volatility_squeeze.weight > 0.0:
        volatility_squeeze.draw(s.volatility_squeeze, p.volatility_squeeze, now, out[AT[9] :])
    if p.supertrend.weight > 0.0:
        supertrend.draw(s.supertrend, p.supertrend, now, out[AT[10] :])
    if p.vwap_momentum.weight > 0.0:
        vwap_momentum.draw(s.vwap_momentum, p.vwap_momentum, now, out[AT[11] :])
    if p.market_structure.weight > 0.0:
        market_structure.draw(s.market_structure, p.market_structure, now, out[AT[12] :])
    if p.funding_rate.weight > 0.0:
        funding_rate.draw(s.funding_rate, p.funding_rate, now, out[AT[13] :])
    if p.rsi_mean_reversion.weight > 0.0:
        rsi_mean_reversion.draw(s.rsi_mean_reversion, p.rsi_mean_reversion, now, out[AT[14] :])


@stage
def draw_bars(markets, m, params, bars, books, out):
    """Show the market bars and books; row ``i`` of ``out`` is what stood after bar ``i``.

    Args:
        books: USED_BOOK of each bar as its decision kept it; none where its time is 0.
        out: (bars, N), NaN where nothing will be drawn.
    """
    market, p = markets[m], params[0]
    chosen = frames_of.deciding(p.timeframes)
    for i in range(len(bars)):
        if books[i].time_ns > 0:
            beside.recall_book(market, books[i])
        bar = bars[i]
        pipeline.observe(market, p, bar, bar.open_ns + market.instrument.timeframe_ns)
        frame = market.frames[chosen]
        if frame.bars_seen > 0:
            draw(frame.strategies, p.strategies, frame.now, out[i])


def draw_series(
    markets: np.ndarray, params: np.ndarray, bars: np.ndarray, books: np.ndarray
) -> np.ndarray:
    """The series of one fresh market over its bars, a column each in the order of ``SERIES``."""
    out = np.full((len(bars), N), np.nan)
    draw_bars(markets, 0, params, bars, books, out)
    return out
