"""Feature vector of a candidate, in the order and on the scale of ``config.features``.

What points somewhere (momentum, averages, RSI, book) is told along the candidate's side. An absent
value sits at its centre, where it says nothing.
"""

import math

import numpy as np

from trading.core.config.features import FEATURES, N_FEATURES
from trading.core.jit import kernel

CENTRES = np.array([centre for _, centre, _ in FEATURES])
SHARES = np.array([1.0 / scale for _, _, scale in FEATURES])
NS_PER_HOUR = 3_600_000_000_000
HOURS = 24
SINES = np.array([math.sin(2.0 * math.pi * hour / HOURS) for hour in range(HOURS)])
COSINES = np.array([math.cos(2.0 * math.pi * hour / HOURS) for hour in range(HOURS)])
CUT = 3.0


@kernel
def fill(out, d, now, agreeing_timeframes, cost, close_ns):
    """Write the features of the candidate ``d``."""
    side = d.side
    hour = close_ns // NS_PER_HOUR % HOURS
    out[0] = side
    out[1] = 50.0 + side * (now.rsi - 50.0)
    out[2] = side * (now.ema_fast / now.ema_slow - 1.0)
    out[3] = side * now.momentum
    out[4] = now.adx
    out[5] = now.choppiness
    out[6] = now.volume_ratio
    out[7] = now.atr / d.close
    out[8] = now.volatility_rank
    out[9] = 1.0 if now.regime == 1 else (-1.0 if now.regime == 2 else 0.0)
    out[10] = d.score
    out[11] = d.confidence
    out[12] = d.agreeing
    out[13] = d.opposing
    out[14] = agreeing_timeframes
    out[15] = d.target_distance / d.stop_distance
    out[16] = d.target_distance / (cost * d.close) if cost > 0.0 else np.nan
    out[17] = side * now.book_score
    out[18] = now.spread
    out[19] = SINES[hour]
    out[20] = COSINES[hour]
    for k in range(N_FEATURES):
        scaled = (out[k] - CENTRES[k]) * SHARES[k]
        out[k] = 0.0 if np.isnan(scaled) else min(max(scaled, -CUT), CUT)
