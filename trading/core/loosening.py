"""Which changes of parameters loosen a risk limit; in doubt, a change does."""

from collections.abc import Mapping
from typing import Any

from trading.core.nearest import look_up

HOURS = 24
# The more of it, the more can be lost.
LOOSER_ABOVE = (
    "sizing.risk_per_trade", "sizing.max_position", "sizing.max_exposure", "sizing.kelly_trades",
    "sizing.max_ruin", "sizing.max_volume_share", "sizing.max_depth_share",
    "risk.max_open_positions", "risk.max_group_positions", "risk.max_daily_loss",
    "risk.max_drawdown", "risk.max_gap_bars", "risk.max_spread", "risk.max_spread_to_atr",
    "risk.max_stop", "risk.allow_short",
)  # fmt: skip
# The same, and 0 means no limit at all.
ZERO_IS_OFF = ("sizing.kelly_fraction", "risk.max_hourly_trades", "risk.max_daily_trades")
# The less of it, the more can be lost.
LOOSER_BELOW = (
    "sizing.scale_drawdown", "sizing.scale_correlation", "risk.cooldown_bars",
    "risk.cooldown_bars_after_loss", "risk.account_cooldown_bars", "risk.strategy_cooldown_bars",
    "risk.gap_pause_bars", "risk.min_stop", "risk.min_reward_to_cost", "risk.min_reward_to_risk",
)  # fmt: skip
# They make some trades smaller and others larger.
EITHER_WAY = ("sizing.scale_streak", "sizing.scale_volatility")
QUIET = ("risk.quiet_from", "risk.quiet_to")
RISK_LIMITS = (*LOOSER_ABOVE, *ZERO_IS_OFF, *LOOSER_BELOW, *EITHER_WAY, *QUIET)


def loosened(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The risk limits that ``after`` holds less tightly than ``before``; both nested and whole."""

    def pair(name: str) -> tuple[float, float]:
        return look_up(before, name), look_up(after, name)

    found = [name for name in LOOSER_ABOVE if pair(name)[1] > pair(name)[0]]
    found += [name for name in ZERO_IS_OFF if _limit(pair(name)[1]) > _limit(pair(name)[0])]
    found += [name for name in LOOSER_BELOW if pair(name)[1] < pair(name)[0]]
    found += [name for name in EITHER_WAY if pair(name)[1] != pair(name)[0]]
    if not quiet_hours(before) <= quiet_hours(after):
        found += QUIET
    return found


def only_tightens(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether nothing but risk limits differs, and none is looser; both nested and whole."""
    return not loosened(before, after) and _but_limits(before) == _but_limits(after)


def _but_limits(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in params.items():
        whole = f"{prefix}{name}"
        if isinstance(value, Mapping):
            found |= _but_limits(value, f"{whole}.")
        elif whole not in RISK_LIMITS:
            found[whole] = value
    return found


def quiet_hours(params: Mapping[str, Any]) -> frozenset[int]:
    """The UTC hours without entries; they may pass midnight."""
    first, end = (int(look_up(params, name)) for name in QUIET)
    return frozenset((first + k) % HOURS for k in range((end - first) % HOURS))


def _limit(value: float) -> float:
    return value or float("inf")
