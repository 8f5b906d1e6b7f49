"""What the report draws: thinned paths and bins as plain lists; no drawing, no words.

Times are whole seconds since 1970, the open of their bar; nothing here is used to compute a number.
"""

from typing import Any

import numpy as np

from trading.backtest import baselines, equity, report_candles, resampling
from trading.backtest.evidence import YEAR
from trading.backtest.report import SEED, Run

MOST_POINTS = 2_000
MOST_BAND_DAYS = 200
ROLLING_DAYS = 90
ROLLING_TRADES = 30
LEAST_SAMPLE = 5
TAIL = 0.005  # of each side is drawn in the outermost bin
NS = 1_000_000_000


def build(run: Run, *, seed: int = SEED) -> dict[str, Any]:
    """Everything the report's charts need; every list may be empty."""
    returns = equity.returns_of(run.result, run.cash)
    multiples = np.array([r for trip in run.trips if (r := trip.r) is not None])
    return {
        "equity": _equity(run),
        "rolling_sharpe": _rolling_sharpe(run, returns),
        "rolling_wins": _rolling_wins(run),
        "days": histogram(returns),
        "multiples": histogram(multiples),
        "bands": _bands(returns, seed),
        "markets": report_candles.overviews(run),
        "trades": report_candles.close_ups(run),
    }


def _equity(run: Run) -> dict[str, list[Any]]:
    """Equity, buying and holding, and the drawdown of both, at the same times."""
    opens = run.result.decisions["bar_open_ns"]
    if not len(opens):
        return {"time": [], "equity": [], "hold": [], "drawdown": [], "hold_drawdown": []}
    last = np.flatnonzero(np.r_[opens[1:] != opens[:-1], True])
    times, own = opens[last], run.result.decisions["equity"][last]
    hold = run.cash * _hold(run, times)
    # Every bar counts for a peak, several markets' bars of one time included.
    peaks = np.maximum(np.maximum.accumulate(run.result.decisions["equity"]), run.cash)[last]
    fall, hold_fall = own / peaks - 1, -equity.drawdowns(np.r_[run.cash, hold])[1:]
    kept = np.union1d(equity.keep_extremes([own, hold], MOST_POINTS - 1), [int(fall.argmin())])
    return {
        "time": (times[kept] // NS).tolist(),
        "equity": own[kept].round(2).tolist(),
        "hold": hold[kept].round(2).tolist(),
        "drawdown": fall[kept].round(5).tolist(),
        "hold_drawdown": hold_fall[kept].round(5).tolist(),
    }


def _hold(run: Run, times: np.ndarray) -> np.ndarray:
    """Worth of 1 spread equally over the markets, at given bar opens; 1 before a market begins."""
    worths = np.zeros(len(times))
    for bars in run.series:
        path = baselines.hold_path(bars, run.costs)
        worths += path[np.searchsorted(bars["open_ns"], times, side="right")]
    return worths / len(run.series)


def _rolling_sharpe(run: Run, returns: np.ndarray) -> list[list[float]]:
    """[time, annual Sharpe ratio of the 90 days before]; still stretches are left out."""
    if len(returns) < ROLLING_DAYS:
        return []
    opens = run.result.decisions["bar_open_ns"]
    days, _ = equity.daily_closes(opens, run.result.decisions["equity"])
    windows = np.lib.stride_tricks.sliding_window_view(returns, ROLLING_DAYS)
    mean, deviation = windows.mean(axis=1), windows.std(axis=1, ddof=1)
    moved = np.flatnonzero(deviation > 0)
    if not len(moved):
        return []
    ratio = mean[moved] / deviation[moved] * YEAR
    times = days[ROLLING_DAYS - 1 :][moved] * 86_400
    return _points(times, ratio, 3)


def _rolling_wins(run: Run) -> list[list[float]]:
    """[time, share won of the 30 trades before], by the end of the last of them."""
    won = np.array([trip.profit > 0 for trip in run.trips], float)
    if len(won) < ROLLING_TRADES:
        return []
    share = np.lib.stride_tricks.sliding_window_view(won, ROLLING_TRADES).mean(axis=1)
    times = np.array([trip.exit_ns for trip in run.trips])[ROLLING_TRADES - 1 :] // NS
    last = np.flatnonzero(np.r_[times[1:] != times[:-1], True])
    return _points(times[last], share[last], 3)


def _points(times: np.ndarray, values: np.ndarray, digits: int) -> list[list[float]]:
    kept = equity.keep_extremes([values], MOST_POINTS)
    pairs = zip(times[kept].tolist(), values[kept].round(digits).tolist(), strict=True)
    return [[time, value] for time, value in pairs]


def histogram(values: np.ndarray) -> dict[str, list[float]]:
    """Edges and counts; 0 is an edge, so that no bin mixes gains and losses."""
    if len(values) < LEAST_SAMPLE or values.min() == values.max():
        return {"edges": [], "counts": []}
    low, high = np.quantile(values, [TAIL, 1 - TAIL]) if len(values) > 100 else (0.0, 0.0)
    low = min(low, 0.0) if low < 0 else min(values.min(), 0.0)
    high = max(high, 0.0) if high > 0 else max(values.max(), 0.0)
    bins = int(np.clip(2 * np.sqrt(len(values)), 8, 40))
    width = (high - low) / bins
    below, above = int(np.ceil(-low / width - 1e-9)), int(np.ceil(high / width - 1e-9))
    edges = np.arange(-below, above + 1) * width
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return {"edges": edges.round(6).tolist(), "counts": counts.tolist()}


def _bands(returns: np.ndarray, seed: int) -> dict[str, Any]:
    """Percentiles of resampled growth by day beside the run's own."""
    if not len(returns):
        return {"day": [], "own": [], "bands": []}
    found = resampling.drawdown_bands(resampling.histories(returns, seed=seed))
    if not found.bands:
        return {"day": [], "own": [], "bands": []}
    rows = np.unique(np.linspace(0, len(returns) - 1, MOST_BAND_DAYS).astype(int))
    own, bands = np.cumprod(1 + returns), np.array(found.bands)
    return {
        "day": [0, *(rows + 1).tolist()],
        "own": [1.0, *own[rows].round(5).tolist()],
        "bands": [[1.0, *band] for band in bands[:, rows].round(5).tolist()],
    }
