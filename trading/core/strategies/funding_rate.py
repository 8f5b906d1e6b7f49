"""Funding rate: a crowd pays to stay short, and price turns against it.

Long: the rate at most -``extreme`` and either RSI crosses above 50 or the ten-bar change is above 0 and
rising; not against a strong trend (ADX above 40 with the averages the other way). Short is the mirror.
The rate is a fraction of notional per eight hours: the original compared an absolute hourly amount in
quote currency with 1 %, which Bitcoin nearly always passes and a small coin never. 0.05 % is where
venues' rates begin to be unusual. Without a fresh rate it abstains.
"""

import numpy as np

from trading.core.jit import kernel
from trading.core.votes import NO_INPUT, NO_SETUP, WARMING_UP, cast, mirrored

NAME = "funding_rate"
FAMILY = 6
STRONG, WEAK = 40.0, 25.0
STATE = np.dtype([("rsi_1", "f8"), ("momentum_1", "f8")])


@kernel
def score(s, p, bar, now, vote):
    """Remember the last values and vote."""
    rsi_1, change_1 = s.rsi_1, s.momentum_1
    s.rsi_1, s.momentum_1 = now.rsi, now.momentum
    vote.abstain = WARMING_UP
    if np.isnan(now.adx) or np.isnan(now.ema_slow) or np.isnan(change_1):
        return
    vote.abstain = NO_INPUT
    if np.isnan(now.funding_rate):
        return
    vote.abstain = NO_SETUP
    side = 1 if now.funding_rate < 0.0 else -1
    beyond = abs(now.funding_rate) - p.extreme
    if beyond <= 0.0:
        return
    crosses = mirrored(now.rsi, side) > 50.0 and mirrored(rsi_1, side) <= 50.0
    moves = side * now.momentum > 0.0 and side * (now.momentum - change_1) > 0.0
    against = now.adx > STRONG and side * (now.ema_fast - now.ema_slow) < 0.0
    if not (crosses or moves) or against:
        return
    strength = 0.40 + min(0.2 * beyond / p.extreme, 0.2)
    confidence = 0.40 + (0.10 if crosses else 0.0) + (0.10 if moves else 0.0)
    confidence += 0.05 if now.adx < WEAK else 0.0
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The rate, and where it is extreme."""
    out[0] = now.funding_rate
    out[1], out[2] = -p.extreme, p.extreme
