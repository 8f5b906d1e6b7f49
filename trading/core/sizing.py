"""Fixed-fractional sizing: the loss at the stop is a fraction of equity; caps; lot rounding down."""

import math

from trading.core.jit import kernel

MAX_LOTS = 2.0**53  # a float counts no further in ones, and an i8 overflows not far beyond


@kernel
def size_lots(account, p, instrument, price, stop_distance, cost):
    """Whole lots to trade, 0 when nothing fits.

    Args:
        cost: round-trip cost as a fraction of the price; the loss at the stop includes it.

    The caps are the position's share of equity, the exposure left, and the cash (fees included).
    """
    if account.equity <= 0.0:
        return 0
    risked = account.equity * p.risk_per_trade / (stop_distance + cost * price)
    exposure_left = account.equity * p.max_exposure - account.exposure
    notional = min(
        risked * price,
        account.equity * p.max_position,
        exposure_left,
        account.cash / (1.0 + cost),
    )
    if notional <= 0.0:
        return 0
    lots = notional / price / instrument.lot_size
    return math.floor(min(lots, MAX_LOTS) + 1e-9)


@kernel
def is_large_enough(instrument, lots, price):
    """Whether the venue accepts an order of this size."""
    notional = lots * instrument.lot_size * price
    return lots > 0 and lots >= instrument.min_quantity_lots and notional >= instrument.min_notional
