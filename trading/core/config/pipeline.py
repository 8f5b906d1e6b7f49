"""All parameters of the pipeline, composed; one instance is one bot revision."""

from dataclasses import dataclass

from trading.core.config.breakout import BreakoutParams
from trading.core.config.mean_reversion import MeanReversionParams
from trading.core.config.trend import TrendParams
from trading.core.params import bound, group

STRATEGY_NAMES = ("trend", "mean_reversion", "breakout")


@dataclass(frozen=True, slots=True)
class StrategiesParams:
    """One group per strategy, in the order of STRATEGY_NAMES."""

    trend: TrendParams = group(TrendParams)
    mean_reversion: MeanReversionParams = group(MeanReversionParams)
    breakout: BreakoutParams = group(BreakoutParams)


@dataclass(frozen=True, slots=True)
class ConfluenceParams:
    """When votes together make a candidate."""

    min_score: float = bound(0.45, low=0, high=1, help="weighted strength of the agreeing votes")
    min_confidence: float = bound(0.55, low=0, high=1, help="confidence after bonus and penalty")
    min_votes: int = bound(2, low=1, high=15, help="agreeing votes needed")
    solo_confidence: float = bound(0.65, low=0, high=1, help="a single vote this sure suffices")
    trend_adx: float = bound(25.0, low=5, high=80, help="ADX from which a market trends")


@dataclass(frozen=True, slots=True)
class SizingParams:
    """How much to buy."""

    risk_per_trade: float = bound(0.01, low=0.0005, high=0.1, help="equity lost at the stop")
    max_position: float = bound(0.35, low=0.01, high=1, help="notional of a position over equity")
    max_exposure: float = bound(0.5, low=0.01, high=1, help="all positions over equity")


@dataclass(frozen=True, slots=True)
class RiskParams:
    """Reasons not to enter."""

    max_open_positions: int = bound(5, low=1, high=100, help="positions and working entries")
    max_daily_loss: float = bound(0.05, low=0.005, high=0.5, help="of the day's first equity")
    max_drawdown: float = bound(0.25, low=0.01, high=0.9, help="from the highest equity")
    cooldown_bars: int = bound(5, low=0, high=5000, unit="bars", help="after any exit")
    cooldown_bars_after_loss: int = bound(30, low=0, high=5000, unit="bars", help="after a loss")
    max_gap_bars: int = bound(30, low=1, high=10000, unit="bars", help="longer gaps block entries")
    gap_pause_bars: int = bound(30, low=0, high=5000, unit="bars", help="how long they block")
    min_stop: float = bound(0.002, low=0.0001, high=0.1, help="least stop distance over price")
    max_stop: float = bound(0.1, low=0.001, high=0.5, help="largest stop distance over price")
    min_reward_to_cost: float = bound(2.0, low=1, high=20, help="target over round-trip costs")
    min_reward_to_risk: float = bound(1.0, low=0.1, high=20, help="target over stop distance")
    allow_short: int = bound(0, low=0, high=1, help="1 where the account can sell short")


@dataclass(frozen=True, slots=True)
class ExitParams:
    """How a position is protected and ended."""

    stop_scale: float = bound(1.0, low=0.5, high=20, help="multiplies every proposed stop")
    target_scale: float = bound(1.0, low=0.5, high=40, help="multiplies every proposed target")
    break_even_at: float = bound(1.0, low=0.2, high=20, unit="R", help="gain that moves the stop")
    trail_from: float = bound(1.5, low=0.2, high=20, unit="R", help="gain from which it trails")
    trail_distance: float = bound(1.0, low=0.1, high=10, unit="R", help="below the best price")
    max_hold_bars: int = bound(1440, low=0, high=100000, unit="bars", help="0: without limit")


@dataclass(frozen=True, slots=True)
class CostParams:
    """What trading costs; the same in backtest, paper and in the checks before an entry."""

    taker_fee_bps: float = bound(26.0, low=0, high=500, unit="bps")
    maker_fee_bps: float = bound(16.0, low=0, high=500, unit="bps")
    half_spread_bps: float = bound(1.0, low=0, high=500, unit="bps")
    slippage_bps: float = bound(2.0, low=0, high=500, unit="bps")


@dataclass(frozen=True, slots=True)
class PipelineParams:
    """Everything a bot can tune."""

    strategies: StrategiesParams = group(StrategiesParams)
    confluence: ConfluenceParams = group(ConfluenceParams)
    sizing: SizingParams = group(SizingParams)
    risk: RiskParams = group(RiskParams)
    exits: ExitParams = group(ExitParams)
    costs: CostParams = group(CostParams)
