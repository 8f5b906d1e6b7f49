"""Parameters of the momentum strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class MomentumParams:
    """Strength that grows, with volume behind it."""

    weight: float = bound(0.0, low=0, high=10, help="0 switches the vote off")
    min_rsi: float = bound(55.0, low=40, high=90, help="RSI of a long must be above")
    min_volume: float = bound(1.5, low=0.5, high=10, unit="x mean", help="volume it needs")
    stop_atr: float = bound(2.25, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.5, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("average", "EMA 8", tone=Tone.SECOND),
        Plot("long", "RSI of a long", Pane.RSI, Tone.LEVEL),
        Plot("short", "RSI of a short", Pane.RSI, Tone.LEVEL),
    )
