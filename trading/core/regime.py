"""Trend/range regime of a market and what it does to the strategies' weights."""

import numpy as np

from trading.core.codes import Regime
from trading.core.jit import kernel

UNKNOWN, TREND, RANGE = int(Regime.UNKNOWN), int(Regime.TREND), int(Regime.RANGE)

# Rows in the order of STRATEGY_NAMES, columns UNKNOWN, TREND, RANGE (strategies.md §2.2).
MULTIPLIERS = np.array([[1.0, 1.3, 0.8], [1.0, 0.8, 1.3], [1.0, 1.0, 1.0]])


@kernel
def classify(adx, threshold):
    """TREND at or above the ADX threshold, RANGE below, UNKNOWN while warming up."""
    if np.isnan(adx):
        return UNKNOWN
    return TREND if adx >= threshold else RANGE
