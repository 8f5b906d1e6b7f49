"""What one trial came to, and how two trials compare: from equity and closed trades alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

DAY_NS = 86_400_000_000_000
DAYS_PER_YEAR = 365
LEAST_DAYS = 2  # of returns, below which a deviation says nothing

Metrics = Mapping[str, Any]


def daily_returns(open_ns: np.ndarray, equity: np.ndarray, cash: float) -> np.ndarray:
    """Return of each UTC day, the first from the cash; a day without bars did not move."""
    if not len(open_ns):
        return np.zeros(0)
    day = open_ns // DAY_NS
    last = np.flatnonzero(np.r_[day[1:] != day[:-1], True])
    days = np.arange(day[0], day[-1] + 1)
    closes = equity[last[np.searchsorted(day[last], days, side="right") - 1]]
    path = np.r_[cash, closes]
    return path[1:] / path[:-1] - 1 if (path > 0).all() else np.zeros(0)


def measure(
    *,
    open_ns: np.ndarray,
    equity: np.ndarray,
    end_equity: float,
    profits: Sequence[float],
    cash: float,
) -> tuple[dict[str, Any], np.ndarray]:
    """(metrics, daily returns) of one trial; what cannot be said is None."""
    daily = daily_returns(open_ns, equity, cash)
    path = np.r_[cash, equity, end_equity]
    drawdown = float((1 - path / np.maximum.accumulate(path)).max())
    won = sum(p for p in profits if p > 0)
    lost = -sum(p for p in profits if p <= 0)
    growth = end_equity / cash
    days = float(open_ns[-1] - open_ns[0]) / DAY_NS if len(open_ns) else 0.0
    moving = len(daily) >= LEAST_DAYS and daily.std(ddof=1) > 0
    yearly = growth ** (DAYS_PER_YEAR / days) - 1 if days >= 1 and growth > 0 else None
    metrics = {
        "return": growth - 1,
        "max_drawdown": drawdown,
        "sharpe": float(daily.mean() / daily.std(ddof=1) * DAYS_PER_YEAR**0.5) if moving else None,
        "calmar": yearly / drawdown if yearly is not None and drawdown > 0 else None,
        "profit_factor": won / lost if lost > 0 else None,
        "expectancy": sum(profits) / len(profits) if profits else None,
        "win_rate": sum(p > 0 for p in profits) / len(profits) if profits else None,
        "trades": len(profits),
        "days": days,
    }
    return metrics, daily


OBJECTIVES: dict[str, Callable[[Metrics], float | None]] = {
    "return": lambda metrics: metrics["return"],
    "sharpe": lambda metrics: metrics["sharpe"],
    "calmar": lambda metrics: metrics["calmar"],
    "profit_factor": lambda metrics: metrics["profit_factor"],
    "expectancy": lambda metrics: metrics["expectancy"],
}


def score(objective: str, metrics: Metrics | None, *, min_trades: int) -> float | None:
    """The number to be large; None for a trial that failed, traded too little or has no such number."""
    if metrics is None or metrics["trades"] < min_trades:
        return None
    return OBJECTIVES[objective](metrics)
