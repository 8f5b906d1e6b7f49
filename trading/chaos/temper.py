"""Parameters of a bot that trades at nearly every opportunity, so that a short day has many orders."""

from dataclasses import replace

from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES


def eager_params(*, with_limits: bool) -> PipelineParams:
    """Limits so wide that nearly every candidate becomes a trade; buys only, as spot venues allow."""
    base = PROFILES["active"]
    return replace(
        base,
        timeframes=replace(base.timeframes, second=3, third=7),
        confluence=replace(base.confluence, min_score=0.0, min_confidence=0.0, solo_confidence=0.0),
        model=replace(base.model, fallback_confidence=0.0),
        risk=replace(
            base.risk,
            cooldown_bars=0,
            cooldown_bars_after_loss=0,
            strategy_cooldown_bars=0,
            max_hourly_trades=0,
            min_reward_to_cost=1.0,
            min_reward_to_risk=0.1,
            allow_short=0,
            max_drawdown=0.9,
            max_daily_loss=0.5,
        ),
        entries=replace(base.entries, limit=int(with_limits), chases=2, fallback=1),
        exits=replace(base.exits, stop_scale=2.0, target_scale=2.0, trail_from=0.5),
    )
