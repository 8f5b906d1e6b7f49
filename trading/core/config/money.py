"""Parameters of risk and execution: size, limits, entries, exits, costs."""

from dataclasses import dataclass

from trading.core.params import bound


@dataclass(frozen=True, slots=True)
class SizingParams:
    """How much to buy."""

    risk_per_trade: float = bound(0.01, low=0.0005, high=0.1, help="equity lost at the stop")
    max_position: float = bound(0.35, low=0.01, high=1, help="notional of a position over equity")
    max_exposure: float = bound(0.5, low=0.01, high=1, help="all positions over equity")
    kelly_fraction: float = bound(0.25, low=0, high=1, help="of Kelly's bet, as a cap; 0: off")
    kelly_trades: int = bound(50, low=10, high=100, help="closed trades before Kelly counts")
    scale_drawdown: int = bound(1, low=0, high=1, help="1: smaller after losses from the peak")
    scale_streak: int = bound(1, low=0, high=1, help="1: smaller after losses in a row")
    scale_volatility: int = bound(1, low=0, high=1, help="1: smaller in high volatility")
    scale_correlation: int = bound(1, low=0, high=1, help="1: smaller beside correlated positions")
    max_ruin: float = bound(0.01, low=0, high=1, help="risk of ruin above it shrinks; 1: off")
    max_volume_share: float = bound(0.1, low=0.001, high=1, help="of a bar's usual volume")
    max_depth_share: float = bound(0.1, low=0.001, high=1, help="of the book's depth, if known")


@dataclass(frozen=True, slots=True)
class RiskParams:
    """Reasons not to enter."""

    max_open_positions: int = bound(5, low=1, high=100, help="positions and working entries")
    max_group_positions: int = bound(2, low=1, high=100, help="of one correlation group")
    max_daily_loss: float = bound(0.05, low=0.005, high=0.5, help="of the day's first equity")
    max_drawdown: float = bound(0.25, low=0.01, high=0.9, help="from the highest equity")
    max_hourly_trades: int = bound(20, low=0, high=60, help="entries in 60 minutes; 0: no limit")
    max_daily_trades: int = bound(0, low=0, high=10000, help="entries of a UTC day; 0: no limit")
    cooldown_bars: int = bound(5, low=0, high=5000, unit="bars", help="after any exit")
    cooldown_bars_after_loss: int = bound(30, low=0, high=5000, unit="bars", help="after a loss")
    account_cooldown_bars: int = bound(0, low=0, high=5000, unit="bars", help="all, after a loss")
    strategy_cooldown_bars: int = bound(5, low=0, high=5000, unit="bars", help="same strategy")
    quiet_from: int = bound(0, low=0, high=23, unit="UTC hour", help="no entries from here")
    quiet_to: int = bound(0, low=0, high=23, unit="UTC hour", help="to here; equal: none")
    max_gap_bars: int = bound(30, low=1, high=10000, unit="bars", help="longer gaps block entries")
    gap_pause_bars: int = bound(30, low=0, high=5000, unit="bars", help="how long they block")
    max_spread: float = bound(0.003, low=0.0001, high=0.1, help="over mid, where a book is known")
    max_spread_to_atr: float = bound(0.15, low=0.01, high=2, help="spread over ATR, idem")
    min_stop: float = bound(0.002, low=0.0001, high=0.1, help="least stop distance over price")
    max_stop: float = bound(0.1, low=0.001, high=0.5, help="largest stop distance over price")
    min_reward_to_cost: float = bound(2.0, low=1, high=20, help="target over round-trip costs")
    min_reward_to_risk: float = bound(1.0, low=0.1, high=20, help="target over stop distance")
    allow_short: int = bound(0, low=0, high=1, help="1 where the account can sell short")


@dataclass(frozen=True, slots=True)
class EntryParams:
    """How an entry is asked for."""

    limit: int = bound(0, low=0, high=1, help="0: market order, 1: post-only limit")
    limit_offset_bps: float = bound(2.0, low=0, high=500, unit="bps", help="limit from the close")
    limit_bars: int = bound(3, low=1, high=1000, unit="bars", help="then it is cancelled")
    chases: int = bound(0, low=0, high=10, help="limits at a later close, where one got nothing")
    fallback: int = bound(0, low=0, high=1, help="1: a market order, where all limits got nothing")


@dataclass(frozen=True, slots=True)
class ExitParams:
    """How a position is protected and ended."""

    stop_scale: float = bound(1.0, low=0.5, high=20, help="multiplies every proposed stop")
    target_scale: float = bound(1.0, low=0.5, high=40, help="multiplies every proposed target")
    structural_stop: int = bound(0, low=0, high=1, help="1: beyond the last swing")
    break_even_at: float = bound(1.0, low=0.2, high=20, unit="R", help="gain that moves the stop")
    trail_from: float = bound(1.5, low=0.2, high=20, unit="R", help="gain from which it trails")
    trail_distance: float = bound(1.0, low=0.1, high=10, unit="R", help="below the best price")
    trail_step: float = bound(0.1, low=0, high=2, unit="R", help="least move of a trailing stop")
    trail_in_storm: float = bound(1.5, low=0.5, high=5, help="x distance, entered in a storm")
    trail_in_calm: float = bound(0.7, low=0.2, high=2, help="x distance, entered in a calm")
    tier_1: float = bound(0.5, low=0, high=1, help="sold at the target; 0: all, no tiers")
    tier_2: float = bound(0.6, low=0, high=1, help="of the rest, sold at the second target")
    tier_2_at: float = bound(1.5, low=1, high=10, help="second target over the first")
    tighten_after: float = bound(2.0, low=0, high=20, help="x usual winning hold; 0: off")
    stagnation_bars: int = bound(30, low=0, high=10000, unit="bars", help="0: off")
    stagnation_move: float = bound(0.3, low=0, high=2, help="best move over the expected one")
    max_hold_bars: int = bound(1440, low=0, high=100000, unit="bars", help="0: without limit")


@dataclass(frozen=True, slots=True)
class CostParams:
    """What trading costs; the same in backtest, paper and in the checks before an entry."""

    taker_fee_bps: float = bound(26.0, low=0, high=500, unit="bps")
    maker_fee_bps: float = bound(16.0, low=0, high=500, unit="bps")
    half_spread_bps: float = bound(1.0, low=0, high=500, unit="bps")
    slippage_bps: float = bound(1.0, low=0, high=500, unit="bps")
    impact_bps: float = bound(10.0, low=0, high=1000, unit="bps", help="of an order of a whole bar")
    latency_ms: float = bound(250.0, low=0, high=60000, unit="ms", help="from decision to venue")
    fill_share: float = bound(0.1, low=0.001, high=1, help="of a bar's volume a limit can get")
