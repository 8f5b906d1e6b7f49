"""What a chart shows of a strategy: declared beside its parameters, drawn beside its rule."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Pane(StrEnum):
    """Where a series belongs: over the candles, or below them on a scale of its own."""

    PRICE = "price"
    RSI = "rsi"
    ADX = "adx"
    MACD = "macd"
    STOCHASTIC = "stochastic"
    BOOK = "book"
    FUNDING = "funding"


class Tone(StrEnum):
    """The part a series plays in its strategy; a page turns it into colour and stroke."""

    MAIN = "main"
    SECOND = "second"
    EDGE = "edge"  # of a band or a range
    LEVEL = "level"  # a threshold
    UP = "up"
    DOWN = "down"
    COLUMNS = "columns"


@dataclass(frozen=True, slots=True)
class Plot:
    """One series; ``label`` may name parameters in braces."""

    name: str
    label: str
    pane: Pane = Pane.PRICE
    tone: Tone = Tone.MAIN

    def words(self, params: Any) -> str:
        """The label with the values of one revision."""
        return self.label.format(params=params)


SHARED = (  # what all strategies see
    Plot("rsi", "RSI 14", Pane.RSI),
    Plot("adx", "ADX 14", Pane.ADX),
)
