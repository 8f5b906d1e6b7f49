"""Parameters of the reversal strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class ReversalParams:
    """An exhausted move that has begun to turn."""

    weight: float = bound(0.6, low=0, high=10, help="0 switches the vote off")
    extreme: float = bound(20.0, low=5, high=40, help="RSI that was below it, of a long")
    confirm: int = bound(3, low=2, high=8, unit="bars", help="bars that must have turned")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("average", "EMA 20", tone=Tone.SECOND),
        Plot("low", "extreme low", Pane.RSI, Tone.LEVEL),
        Plot("high", "extreme high", Pane.RSI, Tone.LEVEL),
    )
