"""Parameters of the RSI mean reversion strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class RsiMeanReversionParams:
    """RSI turns from an extreme that depends on the regime."""

    weight: float = bound(0.0, low=0, high=10, help="0 switches the vote off")
    oversold: float = bound(30.0, low=5, high=45, help="RSI of a long must be at or below")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("long", "level of a long", Pane.RSI, Tone.LEVEL),
        Plot("short", "level of a short", Pane.RSI, Tone.LEVEL),
    )
