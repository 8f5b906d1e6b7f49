"""Votes once, decisions many times: what a sweep of limits, weights, stops and sizes needs.

Votes depend on the market and on the strategies' own parameters only. ``observe`` plays the market
once and keeps what the deciding timeframe saw on every bar where somebody voted; ``decide`` plays one
set of the other parameters over it. Fills, account and equity are byte for byte those of a full run;
decision records are not written. One market at a time: several share one account's cash.
"""

from dataclasses import dataclass, replace

import numpy as np

from trading.backtest.runner import FIRST_FILLS
from trading.core import fills as fill_model
from trading.core import pipeline
from trading.core.config.pipeline import STRATEGY_NAMES, PipelineParams
from trading.core.records import FILL
from trading.core.rehearsal import still_market
from trading.core.two_stage import EVENT, POINT, play, watch


@dataclass(frozen=True, slots=True)
class Observed:
    """One market as its strategies saw it."""

    bars: np.ndarray
    market: np.ndarray  # as it began
    events: np.ndarray
    atr: np.ndarray  # of the market's own timeframe, by bar
    volume: np.ndarray  # usual volume, idem
    votes_key: PipelineParams


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one set of parameters came to; ``path`` has every bar on which equity could move."""

    fills: np.ndarray
    account: np.ndarray
    path: np.ndarray


def votes_key(params: PipelineParams) -> PipelineParams:
    """The parameters votes depend on; all others, and the weights of voting strategies, are plain."""
    plain = PipelineParams()
    groups = {name: getattr(params.strategies, name) for name in STRATEGY_NAMES}
    strategies = {
        name: replace(group, weight=1.0 if group.weight > 0 else 0.0)
        for name, group in groups.items()
    }
    return replace(
        plain,
        strategies=replace(params.strategies, **strategies),
        timeframes=replace(params.timeframes, min_agreement=1),
        confluence=replace(plain.confluence, trend_adx=params.confluence.trend_adx),
        inputs=params.inputs,
    )


def observe(bars: np.ndarray, market: np.ndarray, params: PipelineParams) -> Observed:
    """Play the market once without trading.

    Raises:
        BadBar: a bar that cannot be used.
    """
    pipeline.check_bars(bars)
    record, playing = pipeline.new_params(params), market.copy()
    atr, volume = np.empty(len(bars)), np.empty(len(bars))
    events = np.zeros(max(len(bars) // 32, 256), EVENT)
    at = (0, 0)
    while True:
        at = watch(bars, at, playing, record, (events, atr, volume))
        if at[0] == len(bars):
            break
        events = np.concatenate([events, np.zeros(len(events), EVENT)])
    return Observed(bars, market, events[: at[1]], atr, volume, votes_key(params))


def decide(observed: Observed, params: PipelineParams, *, cash: float) -> Outcome:
    """Play one set of parameters over what was observed.

    Raises:
        ValueError: the votes were observed with other parameters.
    """
    if votes_key(params) != observed.votes_key:
        raise ValueError("votes depend on these parameters: observe the market again")
    record, account = pipeline.new_params(params), pipeline.new_account(cash)
    markets, sims = observed.market.copy(), fill_model.new_sims(1)
    path = np.empty(len(observed.bars), POINT)
    fills, of_market = np.zeros(FIRST_FILLS, FILL), np.zeros(FIRST_FILLS, "i8")
    seen = (observed.bars, observed.events, observed.atr, observed.volume)
    at = (0, 0, 0, 0)
    while True:
        at = play(seen, at, markets, account, record, sims, (fills, of_market, path))
        if at[0] == len(observed.bars):
            return Outcome(fills[: at[2]], account, path[: at[3]])
        fills = np.concatenate([fills, np.zeros(len(fills), FILL)])
        of_market = np.concatenate([of_market, np.zeros(len(of_market), "i8")])


def warm() -> None:
    """Compile both stages, or load them from the cache."""
    (bars, markets), params = still_market(), PipelineParams()
    decide(observe(bars, markets, params), params, cash=1000.0)
