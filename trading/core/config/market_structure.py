"""Parameters of the market structure strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class MarketStructureParams:
    """A return to the last higher low of a rising market."""

    weight: float = bound(1.2, low=0, high=10, help="0 switches the vote off")
    reach: int = bound(5, low=2, high=15, unit="bars", help="either side of a swing")
    tolerance: float = bound(0.5, low=0.05, high=5, unit="ATR", help="distance from the swing")
    rsi_min: float = bound(35.0, low=5, high=50, help="RSI of a long must be above")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.5, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("high", "last swing high", tone=Tone.EDGE),
        Plot("low", "last swing low", tone=Tone.EDGE),
    )
