"""Parameters of the trend strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class TrendParams:
    """EMA cross with ADX and RSI filters."""

    weight: float = bound(0.8, low=0, high=10, help="0 switches the vote off")
    fast: int = bound(20, low=2, high=200, unit="bars", help="fast EMA")
    slow: int = bound(50, low=3, high=400, unit="bars", help="slow EMA")
    min_adx: float = bound(25.0, low=0, high=80, help="weaker trends are left alone")
    rsi_low: float = bound(45.0, low=0, high=100, help="lowest RSI of a long")
    rsi_high: float = bound(75.0, low=0, high=100, help="highest RSI of a long")
    cross_bars: int = bound(5, low=1, high=100, unit="bars", help="a cross is fresh this long")
    stop_atr: float = bound(2.25, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.5, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("fast", "EMA {params.fast}"),
        Plot("slow", "EMA {params.slow}", tone=Tone.SECOND),
        Plot("min_adx", "least ADX", Pane.ADX, Tone.LEVEL),
    )
