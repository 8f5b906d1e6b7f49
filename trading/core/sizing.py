"""How much to buy: a fraction of equity lost at the stop, scaled down, capped, rounded to lots."""

import math

import numpy as np

from trading.core.codes import Volatility
from trading.core.jit import kernel
from trading.core.records import OUTCOMES

MAX_LOTS = 2.0**53  # a float counts no further in ones, and an i8 overflows not far beyond
STORM, CALM = int(Volatility.HIGH), int(Volatility.LOW)
LEAST = 0.1  # what Kelly and ruin leave of the risk: a throttle, never a lock
LEAST_PRODUCT = 0.05  # what all factors together leave of it
FALLS = np.array([0.03, 0.07, 0.12, 0.18])
SHARES = np.array([1.0, 0.8, 0.6, 0.35, 0.15])
WIDE_SPREAD = 0.001
CORRELATED = 0.7


@kernel
def drawdown_factor(account):
    """1 near the peak, down to 0.15 from 18 % under it."""
    fallen = 1.0 - account.equity / account.peak_equity
    step = 0
    while step < len(FALLS) and fallen >= FALLS[step]:
        step += 1
    return SHARES[step]


@kernel
def streak_factor(streak):
    """Smaller from the third loss in a row (least 0.4), larger from the third gain (most 1.2)."""
    if streak <= -3:
        return max(0.4, 1.0 - 0.15 * (-streak - 2))
    if streak >= 3:
        return min(1.2, 1.0 + 0.05 * (streak - 2))
    return 1.0


@kernel
def volatility_factor(volatility):
    """0.7 in high volatility, 1.15 in low."""
    if volatility == STORM:
        return 0.7
    return 1.15 if volatility == CALM else 1.0


@kernel
def spread_factor(spread):
    """Smaller from a spread of 0.1 % (least 0.5); 1 while there is no book."""
    return max(0.5, 1.0 - 50.0 * (spread - WIDE_SPREAD)) if spread > WIDE_SPREAD else 1.0


@kernel
def correlation_factor(correlation):
    """Smaller beside positions that move alike, from a correlation of 0.7 (least 0.5)."""
    if correlation > CORRELATED:
        return max(0.5, 1.0 - 2.0 * (correlation - CORRELATED))
    return 1.0


@kernel
def edge_of(account):
    """(trades, share won, mean gain, mean loss) of the remembered trades, in R."""
    trades = min(account.exits, OUTCOMES)
    wins, gains, losses = 0, 0.0, 0.0
    for k in range(trades):
        r = account.outcomes[k]
        if r > 0.0:
            wins += 1
            gains += r
        else:
            losses -= r
    mean_gain = gains / wins if wins > 0 else 0.0
    mean_loss = losses / (trades - wins) if trades > wins else 0.0
    return trades, wins / trades if trades > 0 else 0.0, mean_gain, mean_loss


@kernel
def kelly_factor(account, p):
    """What caps the risk at a fraction of Kelly's bet: f = win rate - loss rate / payoff.

    Kelly 1956: the share of capital to lose at the stop that makes it grow fastest. 1 with too few
    trades; 0.1 at the least, so that a bad run is traded small and can end.
    """
    trades, won, gain, loss = edge_of(account)
    if p.kelly_fraction <= 0.0 or trades < p.kelly_trades or loss <= 0.0:
        return 1.0
    bet = won - (1.0 - won) * loss / gain if gain > 0.0 else 0.0
    return min(max(p.kelly_fraction * bet / p.risk_per_trade, LEAST), 1.0)


@kernel
def ruin_factor(account, p):
    """What keeps the risk of ruin under its limit, 0.1 … 1.

    Risk of ruin = ((1 - e) / (1 + e)) ^ (1 / risk), with e the mean outcome over the mean absolute
    outcome (Vince 1990); without an edge it is certain.
    """
    trades, won, gain, loss = edge_of(account)
    if p.max_ruin >= 1.0 or trades < p.kelly_trades:
        return 1.0
    size = won * gain + (1.0 - won) * loss
    edge = (won * gain - (1.0 - won) * loss) / size if size > 0.0 else 0.0
    if edge <= 0.0:
        return LEAST
    if edge >= 1.0 or p.max_ruin <= 0.0:
        return 1.0
    # The largest risk whose ruin stays under the limit, beside the one asked for.
    largest = math.log((1.0 - edge) / (1.0 + edge)) / math.log(p.max_ruin)
    return min(max(largest / p.risk_per_trade, LEAST), 1.0)


@kernel
def scale(sized, account, p, now, volatility, correlation):
    """Write every factor down; their product, at least a twentieth."""
    sized.kelly = kelly_factor(account, p)
    sized.ruin = ruin_factor(account, p)
    sized.drawdown = drawdown_factor(account) if p.scale_drawdown == 1 else 1.0
    sized.streak = streak_factor(account.streak) if p.scale_streak == 1 else 1.0
    sized.volatility = volatility_factor(volatility) if p.scale_volatility == 1 else 1.0
    sized.spread = spread_factor(now.spread)
    sized.correlation = correlation_factor(correlation) if p.scale_correlation == 1 else 1.0
    product = sized.kelly * sized.ruin * sized.drawdown * sized.streak
    product *= sized.volatility * sized.spread * sized.correlation
    return max(product, LEAST_PRODUCT)


@kernel
def size_lots(account, p, instrument, price, per_unit, factor):
    """Whole lots to trade, 0 when nothing fits.

    Args:
        per_unit: (loss of one unit at the stop with costs, round-trip cost over the price).
        factor: what ``scale`` gave; the scaled risk is never above ``risk_per_trade``.

    The caps are the position's share of equity, the exposure left, and the cash (fees included).
    """
    if account.equity <= 0.0:
        return 0
    loss, cost = per_unit
    risked = account.equity * p.risk_per_trade * min(factor, 1.0) / loss
    notional = min(
        risked * price,
        account.equity * p.max_position,
        account.equity * p.max_exposure - account.exposure,
        account.cash / (1.0 + cost),
    )
    return to_lots(notional, price, instrument)


@kernel
def to_lots(notional, price, instrument):
    """Whole lots a notional buys; 0 for none."""
    if notional <= 0.0:
        return 0
    lots = notional / price / instrument.lot_size
    return math.floor(min(lots, MAX_LOTS) + 1e-9)


@kernel
def is_large_enough(instrument, lots, price):
    """Whether the venue accepts an order of this size."""
    notional = lots * instrument.lot_size * price
    return lots > 0 and lots >= instrument.min_quantity_lots and notional >= instrument.min_notional
