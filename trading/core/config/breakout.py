"""Parameters of the breakout strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class BreakoutParams:
    """Close beyond the range of the last bars with confirmation."""

    weight: float = bound(0.0, low=0, high=10, help="0 switches the vote off")
    lookback: int = bound(60, low=5, high=240, unit="bars", help="range that must break")
    min_volume: float = bound(1.8, low=0.5, high=10, unit="x mean", help="volume confirmation")
    min_body: float = bound(0.6, low=0, high=1, help="body over range confirmation")
    confirmations: int = bound(2, low=0, high=4, help="confirmations needed of four")
    stop_atr: float = bound(2.5, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(5.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("top", "highest of {params.lookback} bars before", tone=Tone.EDGE),
        Plot("bottom", "lowest of {params.lookback} bars before", tone=Tone.EDGE),
    )
