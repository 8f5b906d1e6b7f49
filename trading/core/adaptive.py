"""What a market learns from its own closed trades: weights, guardrails, hours of the day.

Every closed trade is credited to the strongest strategy that agreed with its entry. Outcomes are in
R, the loss planned at the first stop, so that a large and a small position teach the same.
"""

import math

import numpy as np

from trading.core import learner
from trading.core.codes import Regime
from trading.core.jit import kernel
from trading.core.strategies import N

WINDOW = 25
LEAST_TRADES = 5
LEAST_IN_REGIME = 3
LEAST_WINS = 3
HOURS = 24
NS_PER_HOUR = 3_600_000_000_000
WARM, COOL, HEAT = 1.1, 0.85, 0.15
LOWEST, HIGHEST = 0.3, 2.0
BEST_HOUR, WORST_HOUR = 1.15, 0.85

OUTCOME = np.dtype(
    [
        ("seen", "i8"),
        ("r", "f8", (WINDOW,)),
        ("regime", "i8", (WINDOW,)),
        ("temperature", "f8"),
        ("won_bars", "f8"),  # bars held by winners, added up
        ("won", "i8"),
        ("rests_until_ns", "i8"),
        ("last_entry_ns", "i8"),
    ]
)
LEARNING = np.dtype(
    [
        ("strategies", OUTCOME, (N,)),
        ("factors", "f8", (N, len(Regime))),
        ("hour_trades", "i8", (HOURS,)),
        ("hour_wins", "i8", (HOURS,)),
        ("online", learner.STATE),
    ]
)


def begin(learning: np.ndarray) -> None:
    """Nothing learned yet: every factor is 1."""
    learning["factors"] = 1.0
    learning["strategies"]["temperature"] = 1.0


@kernel
def hour_of(time_ns):
    """UTC hour of a time."""
    return (time_ns // NS_PER_HOUR) % HOURS


@kernel
def spread_of(one, size):
    """(mean, population deviation, wins, sum of gains, sum of losses) of the last ``size`` R."""
    total, wins, gains, losses = 0.0, 0, 0.0, 0.0
    for i in range(size):
        r = one.r[i]
        total += r
        if r > 0.0:
            wins += 1
            gains += r
        else:
            losses -= r
    mean = total / size
    squares = 0.0
    for i in range(size):
        squares += (one.r[i] - mean) * (one.r[i] - mean)
    return mean, math.sqrt(squares / size), wins, gains, losses


@kernel
def judge(learning, k):
    """Factors of strategy ``k`` by regime, after one more outcome.

    (0.3 + 1.4 sigmoid(mean / deviation)) x (0.6 + 0.8 win rate in the regime) x temperature,
    within 0.3 … 2; 1 under five trades.
    """
    one = learning.strategies[k]
    size = min(one.seen, WINDOW)
    if size < LEAST_TRADES:
        return
    mean, deviation, _, _, _ = spread_of(one, size)
    ratio = mean / deviation if deviation > 0.0 else (4.0 if mean > 0.0 else -4.0)
    edge = 0.3 + 1.4 / (1.0 + math.exp(-min(max(ratio, -30.0), 30.0)))
    for regime in range(learning.factors.shape[1]):
        trades, wins = 0, 0
        for i in range(size):
            if one.regime[i] == regime:
                trades += 1
                wins += 1 if one.r[i] > 0.0 else 0
        here = 0.6 + 0.8 * wins / trades if trades >= LEAST_IN_REGIME else 1.0
        learning.factors[k, regime] = min(max(edge * here * one.temperature, LOWEST), HIGHEST)


@kernel
def record(learning, p, position, r, bars, now_ns, timeframe_ns):
    """Take in a closed trade of ``r`` R held for ``bars`` bars."""
    hour = hour_of(position.decided_ns)
    learning.hour_trades[hour] += 1
    learning.hour_wins[hour] += 1 if r > 0.0 else 0
    k = position.strategy
    if k < 0:
        return
    one = learning.strategies[k]
    slot = one.seen % WINDOW
    one.r[slot] = r
    one.regime[slot] = position.regime
    one.seen += 1
    one.temperature += HEAT * ((WARM if r > 0.0 else COOL) - one.temperature)
    one.temperature = min(max(one.temperature, 0.6), 1.4)
    if r > 0.0:
        one.won += 1
        one.won_bars += bars
    judge(learning, k)
    guard(one, p, now_ns, timeframe_ns)


@kernel
def guard(one, p, now_ns, timeframe_ns):
    """Let a strategy rest whose last trades won too rarely or earned too little."""
    size = min(one.seen, WINDOW)
    if p.guardrail_trades == 0 or size < p.guardrail_trades:
        return
    _, _, wins, gains, losses = spread_of(one, size)
    poor = losses > 0.0 and gains < p.guardrail_profit_factor * losses
    if wins < p.guardrail_win_rate * size or poor:
        one.rests_until_ns = now_ns + p.guardrail_bars * timeframe_ns


@kernel
def weight_factor(learning, p, k, regime, now_ns):
    """What own outcomes multiply the weight of strategy ``k`` by; 0 while it rests."""
    if now_ns < learning.strategies[k].rests_until_ns:
        return 0.0
    return 1.0 + p.adaptive * (learning.factors[k, regime] - 1.0)


@kernel
def session_factor(learning, p, now_ns):
    """What the hour of the day multiplies the confidence by: 0.85 … 1.15, 1 under five trades."""
    hour = hour_of(now_ns)
    trades = learning.hour_trades[hour]
    if trades < LEAST_TRADES:
        return 1.0
    rate = learning.hour_wins[hour] / trades
    if rate >= 0.5:
        found = 1.0 + min((rate - 0.5) / 0.3, 1.0) * (BEST_HOUR - 1.0)
    else:
        found = 1.0 - min((0.5 - rate) / 0.25, 1.0) * (1.0 - WORST_HOUR)
    return 1.0 + p.session * (found - 1.0)


@kernel
def session_votes(learning, p, now_ns):
    """Least agreeing votes an hour that lost asks for: 4 under 40 % wins, 5 under 30 %, else 0."""
    hour = hour_of(now_ns)
    trades = learning.hour_trades[hour]
    if p.session == 0.0 or trades < LEAST_TRADES:
        return 0
    rate = learning.hour_wins[hour] / trades
    return 5 if rate < 0.3 else (4 if rate < 0.4 else 0)


@kernel
def usual_hold(learning, k):
    """Bars that winners of strategy ``k`` were held on average; NaN under three of them."""
    if k < 0 or learning.strategies[k].won < LEAST_WINS:
        return np.nan
    return learning.strategies[k].won_bars / learning.strategies[k].won
