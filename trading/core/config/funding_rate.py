"""Parameters of the funding rate strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class FundingRateParams:
    """A crowd that pays to stay in its trade."""

    weight: float = bound(1.0, low=0, high=10, help="0 switches the vote off")
    extreme: float = bound(0.0005, low=0.00001, high=0.02, help="rate per 8 hours")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("rate", "funding, 8 hours", Pane.FUNDING),
        Plot("long", "of a long", Pane.FUNDING, Tone.LEVEL),
        Plot("short", "of a short", Pane.FUNDING, Tone.LEVEL),
    )
