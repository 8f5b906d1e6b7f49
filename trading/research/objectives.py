"""What one trial came to, and how two trials compare: from equity and closed trades alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from trading.backtest import equity as paths
from trading.backtest.metrics import DAYS_PER_YEAR

LEAST_DAYS = 2  # of returns, below which a deviation says nothing

Metrics = Mapping[str, Any]


def measure(
    *,
    open_ns: np.ndarray,
    equity: np.ndarray,
    end_equity: float,
    profits: Sequence[float],
    cash: float,
) -> tuple[dict[str, Any], np.ndarray]:
    """(metrics, daily returns) of one trial; what cannot be said is None."""
    _, closes = paths.daily_closes(open_ns, equity)
    daily = paths.daily_returns(closes, cash)
    drawdown = paths.max_drawdown(np.r_[cash, equity, end_equity])
    won = sum(p for p in profits if p > 0)
    lost = -sum(p for p in profits if p <= 0)
    growth = end_equity / cash
    days = paths.span_days(open_ns)
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
