"""Parameters of the supertrend strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class SupertrendParams:
    """The supertrend line turns."""

    weight: float = bound(1.2, low=0, high=10, help="0 switches the vote off")
    period: int = bound(10, low=3, high=60, unit="bars", help="ATR of the line")
    width: float = bound(3.0, low=0.5, high=10, unit="ATR", help="from the bar's middle")
    min_volume: float = bound(1.2, low=0.5, high=10, unit="x mean", help="volume that confirms")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="least stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("below", "line, {params.width} ATR below", tone=Tone.UP),
        Plot("above", "line, {params.width} ATR above", tone=Tone.DOWN),
    )
