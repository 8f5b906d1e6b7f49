"""Parameters of the mean reversion strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class MeanReversionParams:
    """Bollinger extremes confirmed by divergence or drying volume."""

    weight: float = bound(2.0, low=0, high=10, help="0 switches the vote off")
    period: int = bound(20, low=5, high=120, unit="bars", help="Bollinger window")
    width: float = bound(2.0, low=0.5, high=5, unit="standard deviations", help="band width")
    edge: float = bound(0.15, low=0.0, high=0.4, help="%B below which price is cheap")
    oversold: float = bound(30.0, low=5, high=50, help="RSI of a long must be below")
    memory: int = bound(10, low=3, high=60, unit="bars", help="look-back of the divergence")
    stop_atr: float = bound(2.25, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(3.0, low=0.5, high=60, unit="ATR", help="least target distance")

    PLOTS: ClassVar = (
        Plot("upper", "upper band, {params.period} bars", tone=Tone.EDGE),
        Plot("middle", "mean of {params.period} bars", tone=Tone.SECOND),
        Plot("lower", "lower band", tone=Tone.EDGE),
        Plot("oversold", "oversold", Pane.RSI, Tone.LEVEL),
        Plot("overbought", "overbought", Pane.RSI, Tone.LEVEL),
    )
