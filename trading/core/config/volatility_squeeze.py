"""Parameters of the volatility squeeze strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class VolatilitySqueezeParams:
    """Bollinger bands leave the Keltner channel again."""

    weight: float = bound(1.8, low=0, high=10, help="0 switches the vote off")
    period: int = bound(20, low=5, high=60, unit="bars", help="of bands and channel")
    band_width: float = bound(2.0, low=0.5, high=5, unit="standard deviations", help="bands")
    channel_width: float = bound(1.5, low=0.5, high=5, unit="ATR", help="channel")
    momentum: int = bound(12, low=2, high=30, unit="bars", help="rate of change that leads")
    min_bars: int = bound(5, low=1, high=60, unit="bars", help="how long it was squeezed")
    stop_atr: float = bound(2.5, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(5.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("upper", "Bollinger band, {params.period} bars"),
        Plot("lower", "Bollinger band below"),
        Plot("channel_upper", "channel, {params.channel_width} ATR", tone=Tone.EDGE),
        Plot("channel_lower", "channel below", tone=Tone.EDGE),
    )
