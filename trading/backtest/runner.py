"""Same pipeline over arrays: one compiled loop for one or many markets in true time order.

For every bar, in the order the engine sees it: a tick at the open, the fill at the open, the fill
within the range, the decision at the close. Whatever one step asks for is in the book before the
next begins. Nothing is closed at the end: an open position is marked at its last close.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.core import fills as fill_model
from trading.core import pipeline
from trading.core.config.pipeline import PipelineParams
from trading.core.jit import kernel
from trading.core.records import BAR, FILL, INTENT, MAX_FILLS, MAX_INTENTS

FIRST_FILLS = 1024


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a run left behind; market ``k`` of a row is the index of its instrument."""

    decisions: np.ndarray
    decision_market: np.ndarray
    fills: np.ndarray
    fill_market: np.ndarray
    account: np.ndarray
    markets: np.ndarray
    sims: np.ndarray


@kernel
def accept_all(sims, m, intents, count):
    """Everything asked for goes into the book."""
    for k in range(count):
        fill_model.accept(sims, m, intents, k)


@kernel
def settle(markets, m, account, params, sims, found, count, intents, fills, fill_market, n):
    """Book the fills of one phase and accept what they ask for; the new number of fills."""
    for k in range(count):
        fills[n] = found[k]
        fill_market[n] = m
        n += 1
        asked = pipeline.on_fill(markets, m, account, params, found, k, intents)
        accept_all(sims, m, intents, asked)
    return n


@kernel
def loop(
    bars, market_index, start, markets, account, params, sims, decisions, fills, fill_market, n
):
    """Run from bar ``start`` until the end or until the fills' array is full; (next bar, fills)."""
    intents = np.zeros(MAX_INTENTS, INTENT)
    found = np.zeros(MAX_FILLS, FILL)
    for i in range(start, len(bars)):
        if n + 2 * MAX_FILLS > len(fills):
            return i, n
        m = market_index[i]
        own = params[m : m + 1]
        asked = pipeline.on_tick(markets, m, account, own, bars[i].open_ns, bars[i].open, intents)
        accept_all(sims, m, intents, asked)
        count = fill_model.match_open(sims, m, markets, own, bars, i, found)
        if count > 0:  # the call alone would cost as much as an indicator
            n = settle(markets, m, account, own, sims, found, count, intents, fills, fill_market, n)
        count = fill_model.match_range(sims, m, markets, own, bars, i, found)
        if count > 0:  # the call alone would cost as much as an indicator
            n = settle(markets, m, account, own, sims, found, count, intents, fills, fill_market, n)
        asked = pipeline.on_bar(markets, m, account, own, bars, i, decisions, i, intents)
        accept_all(sims, m, intents, asked)
    return len(bars), n


def merge(series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Bars of several markets in (open time, market) order, and the market of each."""
    index = np.repeat(np.arange(len(series)), [len(one) for one in series]).astype("i8")
    if len(series) == 1 and series[0].flags.carray:
        return series[0], index  # a copy of years of bars is time and memory
    bars = np.concatenate(series) if series else np.zeros(0, BAR)
    if len(series) > 1:
        order = np.lexsort((index, bars["open_ns"]))
        bars, index = bars[order], index[order]
    return bars, index


def run(
    *,
    series: Sequence[np.ndarray],
    markets: np.ndarray,
    params: Sequence[PipelineParams],
    cash: float,
) -> Result:
    """Trade every series on one shared account.

    Args:
        series: bars (dtype BAR) of each market.
        markets: fresh MARKET records with their instruments' grids.
        params: the parameters of each market.
        cash: quote currency at the start.

    Raises:
        BadBar: a bar that cannot be used.
    """
    for one in series:
        pipeline.check_bars(one)
    bars, index = merge(series)
    records = np.concatenate([pipeline.new_params(one) for one in params])
    account, sims = pipeline.new_account(cash), fill_model.new_sims(len(series))
    markets = markets.copy()
    decisions = np.zeros(len(bars), pipeline.DECISION)
    fills, fill_market = np.zeros(FIRST_FILLS, FILL), np.zeros(FIRST_FILLS, "i8")
    at, n = 0, 0
    while at < len(bars):
        at, n = loop(
            bars, index, at, markets, account, records, sims, decisions, fills, fill_market, n
        )
        if at < len(bars):
            fills = np.concatenate([fills, np.zeros(len(fills), FILL)])
            fill_market = np.concatenate([fill_market, np.zeros(len(fill_market), "i8")])
    return Result(decisions, index, fills[:n], fill_market[:n], account, markets, sims)


def warm() -> None:
    """Compile the loop, or load it from the cache."""
    bars = np.zeros(2, BAR)
    for i in range(2):
        bars[i] = (60_000_000_000 * (i + 1), 100.0, 101.0, 99.0, 100.0, 1.0)
    markets = pipeline.new_markets(1)
    grid = markets[0]["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = 0.01, 0.001, 60_000_000_000
    run(series=[bars], markets=markets, params=[PipelineParams()], cash=1000.0)
