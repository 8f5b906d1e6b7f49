"""Parameters of the Keltner strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class KeltnerParams:
    """Rebound from the edge of the Keltner channel."""

    weight: float = bound(2.5, low=0, high=10, help="0 switches the vote off")
    period: int = bound(20, low=5, high=100, unit="bars", help="EMA in the channel's middle")
    width: float = bound(1.5, low=0.5, high=5, unit="ATR", help="from middle to edge")
    rsi_max: float = bound(45.0, low=20, high=60, help="RSI of a long must be below")
    stop_atr: float = bound(1.5, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(3.0, low=0.5, high=60, unit="ATR", help="least target distance")

    PLOTS: ClassVar = (
        Plot("upper", "channel, {params.width} ATR", tone=Tone.EDGE),
        Plot("middle", "EMA {params.period}", tone=Tone.SECOND),
        Plot("lower", "channel below", tone=Tone.EDGE),
        Plot("histogram", "MACD histogram", Pane.MACD, Tone.COLUMNS),
    )
