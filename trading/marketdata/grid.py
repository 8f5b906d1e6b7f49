"""Price and quantity grid of an instrument as far as its bars show it."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

MAX_DECIMALS = 8
SIGNIFICANT = 7  # digits a price grid resolves at most; finer ones in data are averages and noise
GAIN = 0.02  # a further decimal must make at least this share more of the values fit
SAMPLE = 250


@dataclass(frozen=True, slots=True)
class Grid:
    """Decimal steps of price and quantity."""

    tick_size: Decimal
    lot_size: Decimal


def sample(bars: np.ndarray) -> np.ndarray:
    """Bars spread evenly over a piece of a series."""
    return bars[:: max(1, len(bars) // SAMPLE)].copy()


def infer_grid(samples: np.ndarray) -> Grid:
    """The coarsest decimal grid that finer decimals hardly improve on, for prices and for volumes.

    Not the finest decimals seen: venues such as Bitfinex put averages with eight decimals among
    prices that move in whole or tenth dollars.
    """
    prices = np.concatenate([samples[name] for name in ("open", "high", "low", "close")])
    magnitude = int(np.floor(np.log10(np.median(prices))))
    most = max(0, min(MAX_DECIMALS, SIGNIFICANT - 1 - magnitude))
    if magnitude < 0:
        most = min(12, SIGNIFICANT - 1 - magnitude)
    volumes = samples["volume"][samples["volume"] > 0]
    lot = _decimals(volumes, MAX_DECIMALS) if len(volumes) else MAX_DECIMALS
    return Grid(Decimal(1).scaleb(-_decimals(prices, most)), Decimal(1).scaleb(-lot))


def _decimals(values: np.ndarray, most: int) -> int:
    fits = [float(np.mean(np.round(values, decimals) == values)) for decimals in range(most + 1)]
    return next(decimals for decimals, fit in enumerate(fits) if fits[most] - fit < GAIN)
