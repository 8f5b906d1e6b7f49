"""Named starting points for a bot's parameters."""

from trading.core.config.pipeline import ConfluenceParams, ExitParams, PipelineParams, RiskParams

PROFILES: dict[str, PipelineParams] = {
    "balanced": PipelineParams(),
    "active": PipelineParams(
        confluence=ConfluenceParams(min_score=0.4, min_confidence=0.5, solo_confidence=0.55),
        risk=RiskParams(
            cooldown_bars=3,
            cooldown_bars_after_loss=10,
            min_reward_to_cost=1.5,
            max_drawdown=0.9,
        ),
        exits=ExitParams(stop_scale=4.0, target_scale=4.0, max_hold_bars=480),
    ),
}
