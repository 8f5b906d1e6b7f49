"""Bollinger bands: mean of closes and a number of population deviations either side."""

from trading.core.indicators import window
from trading.core.jit import kernel


@kernel
def update(s, close, period, width):
    """(mean, half width of the bands); NaN until ``period`` closes were seen."""
    window.push_sum(s, close, period)
    return window.mean(s, period), width * window.deviation(s, period)
