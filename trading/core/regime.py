"""Trend and volatility regime of a market, and what they do to the strategies' weights.

Volatility is ranked among the market's own last hundred values: a fixed percentage that is high for
a day is never reached by a minute.
"""

import numpy as np

from trading.core.codes import Regime, Volatility
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.jit import kernel

UNKNOWN, TREND, RANGE = int(Regime.UNKNOWN), int(Regime.TREND), int(Regime.RANGE)
CALM, MIDDLE, STORM = int(Volatility.LOW), int(Volatility.MID), int(Volatility.HIGH)
V_UNKNOWN = int(Volatility.UNKNOWN)
CALM_BELOW, STORM_FROM = 0.2, 0.8
MOST = 2.0  # the product of two multipliers goes no further
FLAT_ADX, STEEP_ADX = 20.0, 35.0
NEEDS_TREND = ("trend", "ichimoku", "supertrend")
NEEDS_RANGE = ("mean_reversion", "stochastic_divergence", "reversal")

# trend, range, high volatility, low volatility (strategies.md §2.2); 1 where it says nothing.
TABLE = {
    "trend": (1.3, 0.8, 1.0, 1.0),
    "ichimoku": (1.2, 0.8, 1.0, 0.9),
    "supertrend": (1.2, 0.8, 1.1, 0.9),
    "order_flow": (1.1, 1.1, 1.1, 1.0),
    "volatility_squeeze": (1.1, 0.9, 1.3, 0.8),
    "vwap_momentum": (1.2, 1.0, 0.9, 1.1),
    "market_structure": (1.1, 0.9, 1.0, 1.0),
    "funding_rate": (0.9, 1.2, 1.1, 0.9),
    "mean_reversion": (0.8, 1.3, 0.9, 1.2),
    "stochastic_divergence": (0.8, 1.3, 0.9, 1.2),
    "reversal": (0.7, 1.1, 0.9, 1.0),
    "keltner": (0.9, 1.2, 1.0, 1.1),
}
NEUTRAL = (1.0, 1.0, 1.0, 1.0)


def _multipliers() -> np.ndarray:
    """By strategy, codes.Regime and codes.Volatility."""
    found = np.ones((len(STRATEGY_NAMES), len(Regime), len(Volatility)))
    for k, name in enumerate(STRATEGY_NAMES):
        trend, range_, storm, calm = TABLE.get(name, NEUTRAL)
        found[k, TREND, :] *= trend
        found[k, RANGE, :] *= range_
        found[k, :, STORM] *= storm
        found[k, :, CALM] *= calm
    return np.minimum(found, MOST)


MULTIPLIERS = _multipliers()
WANTS = np.array(  # the regime a strategy cannot do without
    [TREND if n in NEEDS_TREND else RANGE if n in NEEDS_RANGE else UNKNOWN for n in STRATEGY_NAMES]
)


@kernel
def classify(adx, threshold):
    """TREND at or above the ADX threshold, RANGE below, UNKNOWN while warming up."""
    if np.isnan(adx):
        return UNKNOWN
    return TREND if adx >= threshold else RANGE


@kernel
def classify_volatility(rank):
    """HIGH among the highest fifth of the market's own past, LOW among the lowest."""
    if np.isnan(rank):
        return V_UNKNOWN
    if rank >= STORM_FROM:
        return STORM
    return CALM if rank < CALM_BELOW else MIDDLE


@kernel
def factor(k, now):
    """What the regime multiplies the weight of strategy ``k`` by; 0 where it cannot work at all."""
    if WANTS[k] == TREND and now.regime == RANGE and now.adx < FLAT_ADX:
        return 0.0
    if WANTS[k] == RANGE and now.regime == TREND and now.adx > STEEP_ADX:
        return 0.0
    return MULTIPLIERS[k, now.regime, now.volatility]
