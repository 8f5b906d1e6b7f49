"""Parameters of the Ichimoku strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class IchimokuParams:
    """Tenkan crosses Kijun beyond the cloud."""

    weight: float = bound(0.8, low=0, high=10, help="0 switches the vote off")
    short: int = bound(9, low=3, high=30, unit="bars", help="Tenkan")
    medium: int = bound(26, low=5, high=60, unit="bars", help="Kijun, and how far the cloud leads")
    long: int = bound(52, low=10, high=120, unit="bars", help="Senkou B")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="least stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("tenkan", "Tenkan {params.short}"),
        Plot("kijun", "Kijun {params.medium}", tone=Tone.SECOND),
        Plot("top", "cloud above", tone=Tone.EDGE),
        Plot("bottom", "cloud below", tone=Tone.EDGE),
    )
