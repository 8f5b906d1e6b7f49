"""Parameters of the VWAP momentum strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class VwapMomentumParams:
    """A pullback below a rising VWAP."""

    weight: float = bound(1.5, low=0, high=10, help="0 switches the vote off")
    period: int = bound(20, low=5, high=60, unit="bars", help="window of the VWAP")
    pullback: float = bound(0.6, low=0.2, high=3, unit="deviations", help="below the VWAP")
    slope_bars: int = bound(5, low=2, high=30, unit="bars", help="over which the slope counts")
    min_slope: float = bound(0.0005, low=0, high=0.05, help="rise of the VWAP over them")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("vwap", "VWAP of {params.period} bars"),
        Plot("long", "pullback of a long", tone=Tone.EDGE),
        Plot("short", "pullback of a short", tone=Tone.EDGE),
    )
