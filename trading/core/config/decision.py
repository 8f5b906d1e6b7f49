"""Parameters of the decision: timeframes, confluence, learning from own trades, model, inputs."""

from dataclasses import dataclass

from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class TimeframesParams:
    """On which timeframes the strategies vote; multiples count bars of the bot's own timeframe."""

    second: int = bound(5, low=0, high=1440, unit="bars", help="0: no second timeframe")
    third: int = bound(15, low=0, high=1440, unit="bars", help="0: no third timeframe")
    deciding: int = bound(2, low=0, high=2, help="whose closed bars make candidates: 0, 1 or 2")
    min_agreement: int = bound(1, low=1, high=3, help="timeframes on the candidate's side")


@dataclass(frozen=True, slots=True)
class ConfluenceParams:
    """When votes together make a candidate."""

    min_score: float = bound(0.45, low=0, high=1, help="weighted strength of the agreeing votes")
    min_confidence: float = bound(0.55, low=0, high=1, help="confidence after bonus and penalty")
    min_votes: int = bound(2, low=1, high=15, help="agreeing votes needed")
    extra_votes_in_storm: int = bound(0, low=0, high=5, help="more votes in high volatility")
    solo_confidence: float = bound(0.68, low=0, high=1, help="a single vote this sure suffices")
    keltner_solo_confidence: float = bound(0.60, low=0, high=1, help="idem, of Keltner alone")
    trend_adx: float = bound(25.0, low=5, high=80, help="ADX from which a market trends")
    choppy_above: float = bound(61.8, low=0, high=100, help="choppiness that asks for more votes")
    regime_weights: int = bound(1, low=0, high=1, help="1: the regime changes the weights")


@dataclass(frozen=True, slots=True)
class LearningParams:
    """What a market's own closed trades change."""

    adaptive: float = bound(1.0, low=0, high=1, help="share of the weights' own factor; 0: off")
    session: float = bound(1.0, low=0, high=1, help="share of the hour's factor; 0: off")
    guardrail_trades: int = bound(20, low=0, high=25, help="trades before it judges; 0: off")
    guardrail_win_rate: float = bound(0.35, low=0, high=1, help="below it the strategy rests")
    guardrail_profit_factor: float = bound(0.85, low=0, high=5, help="below it the strategy rests")
    guardrail_bars: int = bound(120, low=1, high=10000, unit="bars", help="how long it rests")
    online_rate: float = bound(0.01, low=0, high=1, help="online learner's step; 0: off")


@dataclass(frozen=True, slots=True)
class ModelParams:
    """What the probability of a model may do."""

    min_probability: float = bound(0.5, low=0, high=1, help="a candidate's probability must reach")
    weight: float = bound(0.3, low=0, high=1, help="of the probability in the confidence")
    fallback_confidence: float = bound(0.55, low=0, high=1, help="least confidence without a model")


@dataclass(frozen=True, slots=True)
class InputParams:
    """How old news beside the bars may be; older is absent."""

    book_age_seconds: float = bound(5.0, low=0, high=3600, unit="s", help="order book")
    funding_age_hours: float = bound(9.0, low=0, high=240, unit="h", help="funding rate")
