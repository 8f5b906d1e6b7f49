"""Drives the core's doors from Python, one bar at a time, in the order the backtest keeps."""

from dataclasses import dataclass, field, replace

import numpy as np

from tests.core.samples import market
from trading.backtest import runner
from trading.core import fills as fill_model
from trading.core import pipeline
from trading.core.config.pipeline import STRATEGY_NAMES, PipelineParams
from trading.core.config.profiles import PROFILES
from trading.core.records import FILL, INTENT, MAX_FILLS, MAX_INTENTS

REFERENCED = ("trend", "mean_reversion", "breakout")


def only(params: PipelineParams, *names: str) -> PipelineParams:
    """The same parameters with these strategies at weight 1 and all others silent."""
    groups = {
        name: replace(getattr(params.strategies, name), weight=1.0 if name in names else 0.0)
        for name in STRATEGY_NAMES
    }
    return replace(params, strategies=replace(params.strategies, **groups))


def plain(params: PipelineParams) -> PipelineParams:
    """What the slow reference knows: one timeframe, three strategies, nothing learned or scaled."""
    one = only(params, *REFERENCED)
    return replace(
        one,
        timeframes=replace(one.timeframes, second=0, third=0, deciding=0),
        confluence=replace(one.confluence, regime_weights=0, choppy_above=100.0),
        learning=replace(
            one.learning, adaptive=0.0, session=0.0, guardrail_trades=0, online_rate=0.0
        ),
        model=replace(one.model, fallback_confidence=0.0),
        sizing=replace(
            one.sizing,
            kelly_fraction=0.0,
            scale_drawdown=0,
            scale_streak=0,
            scale_volatility=0,
            scale_correlation=0,
            max_ruin=1.0,
        ),
        risk=replace(one.risk, max_hourly_trades=0, strategy_cooldown_bars=0),
        exits=replace(
            one.exits,
            tier_1=0.0,
            tighten_after=0.0,
            stagnation_bars=0,
            trail_step=0.0,
            trail_in_storm=1.0,
            trail_in_calm=1.0,
        ),
        costs=replace(one.costs, impact_bps=0.0, latency_ms=0.0),
    )


def eager(params: PipelineParams) -> PipelineParams:
    """Limits so wide that nearly every candidate becomes a trade."""
    return replace(
        params,
        confluence=replace(
            params.confluence, min_score=0.0, min_confidence=0.0, solo_confidence=0.0
        ),
        model=replace(params.model, fallback_confidence=0.0),
        risk=replace(
            params.risk,
            cooldown_bars=0,
            cooldown_bars_after_loss=0,
            strategy_cooldown_bars=0,
            max_hourly_trades=0,
            min_reward_to_cost=1.0,
            min_reward_to_risk=0.1,
            allow_short=1,
            max_drawdown=0.9,
            max_daily_loss=0.5,
        ),
    )


ACTIVE = plain(PROFILES["active"])
EAGER = eager(ACTIVE)
WHOLE = eager(PROFILES["active"])  # every strategy and everything that learns, scales and tightens
WHOLE = replace(
    WHOLE,
    timeframes=replace(WHOLE.timeframes, second=3, third=7, deciding=0),
    strategies=only(WHOLE, *STRATEGY_NAMES).strategies,
    exits=replace(WHOLE.exits, stop_scale=2.0, target_scale=2.0),
)
LIMITS = replace(WHOLE, entries=replace(WHOLE.entries, limit=1))
CHASES = replace(
    WHOLE,
    entries=replace(
        WHOLE.entries, limit=1, limit_bars=1, limit_offset_bps=20.0, chases=2, fallback=1
    ),
)


def run(
    bars: np.ndarray, params: PipelineParams = EAGER, *, cash: float = 10_000.0, **grid: float
) -> runner.Result:
    """A backtest of one market."""
    return runner.run(series=[bars], markets=market(**grid), params=[params], cash=cash)


@dataclass(slots=True)
class Play:
    """The whole state of one market, moved bar by bar through the doors."""

    params: np.ndarray
    markets: np.ndarray
    account: np.ndarray
    sims: np.ndarray = field(default_factory=lambda: fill_model.new_sims(1))
    decisions: list[bytes] = field(default_factory=list)
    fills: list[bytes] = field(default_factory=list)
    intents: list[np.void] = field(default_factory=list)

    @classmethod
    def fresh(cls, params: PipelineParams, *, cash: float = 10_000.0, **grid: float) -> "Play":
        return cls(pipeline.new_params(params), market(**grid), pipeline.new_account(cash))

    def restored(self) -> "Play":
        """The same play from the bytes of its state, as after a restart."""
        copies = [
            np.frombuffer(array.tobytes(), array.dtype).copy()
            for array in (self.params, self.markets, self.account, self.sims)
        ]
        return Play(*copies, self.decisions, self.fills, self.intents)

    def bar(self, bars: np.ndarray, i: int) -> None:
        """A tick at the open, the fills of the bar, the decision at its close."""
        asked = np.zeros(MAX_INTENTS, INTENT)
        state = (self.markets, 0, self.account, self.params)
        self._accept(asked, pipeline.on_tick(*state, bars[i]["open_ns"], bars[i]["open"], asked))
        for match in (fill_model.match_open, fill_model.match_range):
            found = np.zeros(MAX_FILLS, FILL)
            for k in range(match(self.sims, 0, self.markets, self.params, bars, i, found)):
                if found[k]["quantity_lots"] > 0:
                    self.fills.append(found[k].tobytes())
                self._accept(asked, pipeline.on_fill(*state, found, k, asked))
        decision, detail = np.zeros(1, pipeline.DECISION), np.zeros(1, pipeline.DETAIL)
        self._accept(asked, pipeline.on_bar(*state, bars, i, decision, 0, detail, 0, asked))
        told = detail.tobytes() if decision["has_detail"][0] else b""
        self.decisions.append(decision.tobytes() + told)

    def _accept(self, intents: np.ndarray, count: int) -> None:
        for k in range(count):
            self.intents.append(intents[k].copy())
            fill_model.accept(self.sims, 0, intents, k)
