"""Calls every door once with numbers that mean nothing, so that it is compiled; also in two halves."""

import numpy as np

from trading.core import accounts, entering, fills, holding, pipeline
from trading.core.config.pipeline import PipelineParams
from trading.core.records import BAR, FILL, INTENT, MAX_FILLS, MAX_INTENTS

MINUTE_NS = 60_000_000_000
COST = 0.001


def still_market() -> tuple[np.ndarray, np.ndarray]:
    """Two bars of a market in which nothing happens, and its record."""
    bars = np.zeros(2, BAR)
    for i in range(2):
        bars[i] = (MINUTE_NS * (i + 1), 100.0, 101.0, 99.0, 100.0, 1.0)
    markets = pipeline.new_markets(1)
    grid = markets[0]["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = 0.01, 0.001, MINUTE_NS
    return bars, markets


def rehearse_observing() -> None:
    """Half of what ``on_bar`` calls, and the fill model; shares nothing large with the other half."""
    bars, markets = still_market()
    params = pipeline.new_params(PipelineParams())
    pipeline.observe(markets[0], params[0], bars[0], 2 * MINUTE_NS)
    _rehearse_fills(bars, markets, params)


def rehearse_deciding() -> None:
    """The other half of what ``on_bar`` calls, and every other door."""
    bars, markets = still_market()
    params, account = pipeline.new_params(PipelineParams()), pipeline.new_account(1000.0)
    market, p, acct, asked = markets[0], params[0], account[0], np.zeros(MAX_INTENTS, INTENT)
    d, x = np.zeros(1, pipeline.DECISION)[0], np.zeros(1, pipeline.DETAIL)[0]
    accounts.mark(market, acct, MINUTE_NS)
    pipeline.form_opinions(market, 1, 0, p, MINUTE_NS)
    entering.consider(d, x, markets, 0, acct, p, (1, 0), COST)
    entering.chase(d, x, markets, 0, acct, p, (1, 0), COST)
    entering.enter(d, x, market, acct, p["entries"], asked)
    holding.manage(market, p, bars[0], COST, asked)
    _rehearse_news(*still_market())


def rehearse() -> None:
    """All doors and the fill model."""
    bars, markets = still_market()
    params, account = pipeline.new_params(PipelineParams()), pipeline.new_account(1000.0)
    asked = np.zeros(MAX_INTENTS, INTENT)
    decisions, details = np.zeros(1, pipeline.DECISION), np.zeros(1, pipeline.DETAIL)
    pipeline.on_bar(markets, 0, account, params, bars, 0, decisions, 0, details, 0, asked)
    _rehearse_news(bars, markets)
    _rehearse_fills(bars, markets, params)


def _rehearse_news(bars: np.ndarray, markets: np.ndarray) -> None:
    """The doors beside ``on_bar``."""
    params, account = pipeline.new_params(PipelineParams()), pipeline.new_account(1000.0)
    asked, fill = np.zeros(MAX_INTENTS, INTENT), np.zeros(1, FILL)
    fill["final"] = 1
    pipeline.on_book(markets, 0, 1, np.array([[99.0, 1.0]]), np.array([[101.0, 1.0]]))
    pipeline.on_tick(markets, 0, account, params, 1, float(bars[0]["close"]), asked)
    pipeline.on_fill(markets, 0, account, params, fill, 0, asked)
    pipeline.on_stop(markets, 0, 1, True, 1, asked)
    pipeline.has_dust(markets, 0)
    pipeline.on_dust(markets, 0, account, params, 1)


def _rehearse_fills(bars: np.ndarray, markets: np.ndarray, params: np.ndarray) -> None:
    sims, found = fills.new_sims(1), np.zeros(MAX_FILLS, FILL)
    fills.match_open(sims, 0, markets, params, bars, 1, found)
    fills.match_range(sims, 0, markets, params, bars, 1, found)
    fills.accept(sims, 0, np.ones(1, INTENT), 0)
