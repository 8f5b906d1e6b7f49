"""Named starting points for a bot's parameters."""

from trading.core.config.decision import ConfluenceParams, ModelParams, TimeframesParams
from trading.core.config.money import ExitParams, RiskParams, SizingParams
from trading.core.config.pipeline import PipelineParams

PROFILES: dict[str, PipelineParams] = {
    "balanced": PipelineParams(),
    # Several small trades a day on one-minute bars: for watching the platform work, not for income.
    "active": PipelineParams(
        timeframes=TimeframesParams(deciding=0),
        confluence=ConfluenceParams(min_score=0.4, min_confidence=0.5, solo_confidence=0.65),
        model=ModelParams(fallback_confidence=0.5),
        sizing=SizingParams(risk_per_trade=0.0025, max_position=0.1),
        risk=RiskParams(
            cooldown_bars=30,
            cooldown_bars_after_loss=120,
            min_reward_to_cost=1.5,
            max_drawdown=0.9,
        ),
        exits=ExitParams(stop_scale=4.0, target_scale=4.0, trail_from=2.0, trail_distance=1.5),
    ),
}
