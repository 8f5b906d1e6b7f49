"""The bars a kernel may see: everything else is refused here, with row, field and value."""

import numpy as np

from trading.core.jit import stage

PRICE = "a finite price above 0"
FAULTS = (  # what find_bad_bar numbers from 1
    ("open", PRICE),
    ("high", PRICE),
    ("low", PRICE),
    ("close", PRICE),
    ("high", "the highest of its bar"),
    ("low", "the lowest of its bar"),
    ("volume", "a finite volume of 0 or more"),
    ("open_ns", "later than the bar before"),
)


class BadBar(ValueError):
    """A bar that cannot be used; the text names row, field and value."""


def check_bars(bars: np.ndarray) -> None:
    """Refuse what the kernels must never see.

    Raises:
        BadBar: a price that is not a finite number above 0, a high below or a low above another
            price, a negative or non-finite volume, or an open time that does not grow.
    """
    row, fault = find_bad_bar(np.ascontiguousarray(bars))
    if fault:
        field, accepted = FAULTS[fault - 1]
        raise BadBar(f"bar {row}: {field} must be {accepted}, was {bars[field][row]}")


@stage
def find_bad_bar(bars):
    """(row, number of the fault in FAULTS) of the first bar that cannot be used, else (0, 0)."""
    for i in range(len(bars)):
        bar = bars[i]
        fault = 0
        if not 0.0 < bar.open < np.inf:
            fault = 1
        elif not 0.0 < bar.high < np.inf:
            fault = 2
        elif not 0.0 < bar.low < np.inf:
            fault = 3
        elif not 0.0 < bar.close < np.inf:
            fault = 4
        elif bar.high < max(bar.open, bar.low, bar.close):
            fault = 5
        elif bar.low > min(bar.open, bar.close):
            fault = 6
        elif not 0.0 <= bar.volume < np.inf:
            fault = 7
        elif i > 0 and bar.open_ns <= bars[i - 1].open_ns:
            fault = 8
        if fault > 0:
            return i, fault
    return 0, 0
