"""Parameters of the stochastic divergence strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class StochasticDivergenceParams:
    """%K turns up from the bottom, best with a divergence."""

    weight: float = bound(0.6, low=0, high=10, help="0 switches the vote off")
    period: int = bound(14, low=5, high=60, unit="bars", help="range of %K")
    smooth: int = bound(3, low=1, high=10, unit="bars", help="of %K and of %D")
    oversold: float = bound(20.0, low=5, high=40, help="%K of a long must be below")
    memory: int = bound(20, low=5, high=100, unit="bars", help="how old a divergence may be")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("k", "%K {params.period}", Pane.STOCHASTIC),
        Plot("d", "%D {params.smooth}", Pane.STOCHASTIC, Tone.SECOND),
        Plot("oversold", "oversold", Pane.STOCHASTIC, Tone.LEVEL),
        Plot("overbought", "overbought", Pane.STOCHASTIC, Tone.LEVEL),
    )
