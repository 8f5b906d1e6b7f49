"""Parameters of the order flow strategy."""

from dataclasses import dataclass
from typing import ClassVar

from trading.core.config.plots import Pane, Plot, Tone
from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class OrderFlowParams:
    """A book that leans to one side."""

    weight: float = bound(1.2, low=0, high=10, help="0 switches the vote off")
    min_score: float = bound(0.3, low=0.05, high=1, help="book score needed")
    tight_spread: float = bound(0.001, low=0.00001, high=0.02, help="over mid; counts as tight")
    min_depth: float = bound(100_000.0, low=0, high=1e9, unit="quote", help="depth needed")
    stop_atr: float = bound(2.0, low=0.5, high=20, unit="ATR", help="stop distance")
    target_atr: float = bound(4.0, low=0.5, high=60, unit="ATR", help="target distance")

    PLOTS: ClassVar = (
        Plot("score", "book score", Pane.BOOK),
        Plot("long", "of a long", Pane.BOOK, Tone.LEVEL),
        Plot("short", "of a short", Pane.BOOK, Tone.LEVEL),
    )
