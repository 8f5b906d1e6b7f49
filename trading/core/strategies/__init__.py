"""REGISTRY tuple, combined STATE dtype, score_all and weights: three lines per strategy, all here."""

import numpy as np

from trading.core.jit import kernel
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
from trading.core.votes import DISABLED

REGISTRY = (
    trend,
    mean_reversion,
    breakout,
    momentum,
    reversal,
    keltner,
    ichimoku,
    order_flow,
    stochastic_divergence,
    volatility_squeeze,
    supertrend,
    vwap_momentum,
    market_structure,
    funding_rate,
    rsi_mean_reversion,
)
STATE = np.dtype([(strategy.NAME, strategy.STATE) for strategy in REGISTRY])
FAMILIES = tuple(strategy.FAMILY for strategy in REGISTRY)
FAMILY_NAMES = (
    "trend following",
    "mean reversion",
    "momentum",
    "microstructure",
    "vwap",
    "structure",
    "sentiment",
)
N = len(REGISTRY)


@kernel
def is_on(vote, weight):
    """Whether a strategy is asked at all: one of weight 0 is not."""
    if weight > 0.0:
        return True
    vote.abstain = DISABLED
    return False


@kernel
def score_all(s, p, bar, now, votes):
    """Every strategy that is on sees the bar and leaves its vote."""
    if is_on(votes[0], p.trend.weight):
        trend.score(s.trend, p.trend, bar, now, votes[0])
    if is_on(votes[1], p.mean_reversion.weight):
        mean_reversion.score(s.mean_reversion, p.mean_reversion, bar, now, votes[1])
    if is_on(votes[2], p.breakout.weight):
        breakout.score(s.breakout, p.breakout, bar, now, votes[2])
    if is_on(votes[3], p.momentum.weight):
        momentum.score(s.momentum, p.momentum, bar, now, votes[3])
    if is_on(votes[4], p.reversal.weight):
        reversal.score(s.reversal, p.reversal, bar, now, votes[4])
    if is_on(votes[5], p.keltner.weight):
        keltner.score(s.keltner, p.keltner, bar, now, votes[5])
    if is_on(votes[6], p.ichimoku.weight):
        ichimoku.score(s.ichimoku, p.ichimoku, bar, now, votes[6])
    if is_on(votes[7], p.order_flow.weight):
        order_flow.score(s.order_flow, p.order_flow, bar, now, votes[7])
    score_more(s, p, bar, now, votes)


@kernel
def score_more(s, p, bar, now, votes):
    """The second half of them."""
    if is_on(votes[8], p.stochastic_divergence.weight):
        stochastic_divergence.score(
            s.stochastic_divergence, p.stochastic_divergence, bar, now, votes[8]
        )
    if is_on(votes[9], p.volatility_squeeze.weight):
        volatility_squeeze.score(s.volatility_squeeze, p.volatility_squeeze, bar, now, votes[9])
    if is_on(votes[10], p.supertrend.weight):
        supertrend.score(s.supertrend, p.supertrend, bar, now, votes[10])
    if is_on(votes[11], p.vwap_momentum.weight):
        vwap_momentum.score(s.vwap_momentum, p.vwap_momentum, bar, now, votes[11])
    if is_on(votes[12], p.market_structure.weight):
        market_structure.score(s.market_structure, p.market_structure, bar, now, votes[12])
    if is_on(votes[13], p.funding_rate.weight):
        funding_rate.score(s.funding_rate, p.funding_rate, bar, now, votes[13])
    if is_on(votes[14], p.rsi_mean_reversion.weight):
        rsi_mean_reversion.score(s.rsi_mean_reversion, p.rsi_mean_reversion, bar, now, votes[14])


@kernel
def weights(p):
    """The strategies' weights in the order of REGISTRY."""
    return (
        p.trend.weight,
        p.mean_reversion.weight,
        p.breakout.weight,
        p.momentum.weight,
        p.reversal.weight,
        p.keltner.weight,
        p.ichimoku.weight,
        p.order_flow.weight,
        p.stochastic_divergence.weight,
        p.volatility_squeeze.weight,
        p.supertrend.weight,
        p.vwap_momentum.weight,
        p.market_structure.weight,
        p.funding_rate.weight,
        p.rsi_mean_reversion.weight,
    )
