"""Drives the core's doors from Python, one bar at a time, in the order the backtest keeps."""

from dataclasses import dataclass, field, replace

import numpy as np

from tests.core.samples import market
from trading.backtest import runner
from trading.core import fills as fill_model
from trading.core import pipeline
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.core.records import FILL, INTENT, MAX_FILLS, MAX_INTENTS

ACTIVE = PROFILES["active"]
EAGER = replace(
    ACTIVE,
    confluence=replace(ACTIVE.confluence, min_score=0.0, min_confidence=0.0, solo_confidence=0.0),
    risk=replace(
        ACTIVE.risk,
        cooldown_bars=0,
        cooldown_bars_after_loss=0,
        min_reward_to_cost=1.0,
        min_reward_to_risk=0.1,
        allow_short=1,
        max_drawdown=0.9,
        max_daily_loss=0.5,
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
                self.fills.append(found[k].tobytes())
                self._accept(asked, pipeline.on_fill(*state, found, k, asked))
        decision = np.zeros(1, pipeline.DECISION)
        self._accept(asked, pipeline.on_bar(*state, bars, i, decision, 0, asked))
        self.decisions.append(decision.tobytes())

    def _accept(self, intents: np.ndarray, count: int) -> None:
        for k in range(count):
            self.intents.append(intents[k].copy())
            fill_model.accept(self.sims, 0, intents, k)
