"""Every number of a report as one named function; undefined is None, never 0.

Ratios use the returns of UTC days and are put on a year of 365 days by √365, because crypto trades
every day. A trade is a round trip from flat to flat; its profit bears all fees. Definitions and
sources in words: ``declared.METRICS``.
"""

from collections.abc import Sequence

import numpy as np

from trading.backtest import equity as paths
from trading.backtest.trips import Finished, Grid, RoundTrip

DAYS_PER_YEAR = 365
LEAST_DAYS = 30  # fewer say nothing about a year
NS_PER_HOUR = paths.NS_PER_DAY // 24
Numbers = Sequence[float] | np.ndarray


def yearly(growth: float, days: float) -> float | None:
    """Compound return of a year of 365 days; None under 30 days or when nothing is left."""
    return growth ** (DAYS_PER_YEAR / days) - 1 if days >= LEAST_DAYS and growth > 0 else None


def annual_volatility(returns: np.ndarray) -> float | None:
    """Sample deviation of daily returns times √365; None under 30 days."""
    if len(returns) < LEAST_DAYS:
        return None
    return float(returns.std(ddof=1) * DAYS_PER_YEAR**0.5)


def sharpe(returns: np.ndarray) -> float | None:
    """Mean over sample deviation of daily returns times √365; None under 30 days or unmoved.

    The riskless rate is 0: cash on a venue earns nothing.
    """
    volatility = annual_volatility(returns)
    return float(returns.mean()) * DAYS_PER_YEAR / volatility if volatility else None


def sortino(returns: np.ndarray) -> float | None:
    """Mean over downside deviation (root mean square of losses over all days) times √365.

    None under 30 days or without a losing day.
    """
    if len(returns) < LEAST_DAYS:
        return None
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside * DAYS_PER_YEAR**0.5 if downside else None


def calmar(cagr: float | None, max_drawdown: float) -> float | None:
    """Yearly compound return over the deepest drawdown; None without either."""
    return cagr / max_drawdown if cagr is not None and max_drawdown > 0 else None


def skewness(returns: np.ndarray) -> float | None:
    """Third standardised moment (population); None under 30 days or unmoved."""
    return _moment(returns, 3)


def kurtosis(returns: np.ndarray) -> float | None:
    """Fourth standardised moment (population), 3 for the normal; None under 30 days or unmoved."""
    return _moment(returns, 4)


def _moment(returns: np.ndarray, order: int) -> float | None:
    if len(returns) < LEAST_DAYS or returns.std() == 0:
        return None
    return float(np.mean(((returns - returns.mean()) / returns.std()) ** order))


def win_rate(profits: Numbers) -> float | None:
    """Share of trades with a profit above 0; None without trades."""
    return float(np.mean(np.asarray(profits) > 0)) if len(profits) else None


def profit_factor(profits: Numbers) -> float | None:
    """Sum of gains over sum of losses; None without a losing trade."""
    gains, losses = _gains(profits).sum(), _losses(profits).sum()
    return float(gains / -losses) if losses < 0 else None


def average_win(profits: Numbers) -> float | None:
    """Mean profit of the winning trades; None without any."""
    gains = _gains(profits)
    return float(gains.mean()) if len(gains) else None


def average_loss(profits: Numbers) -> float | None:
    """Mean profit of the trades that did not win; None without any."""
    losses = _losses(profits)
    return float(losses.mean()) if len(losses) else None


def _gains(profits: Numbers) -> np.ndarray:
    values = np.asarray(profits, float)
    return values[values > 0]


def _losses(profits: Numbers) -> np.ndarray:
    values = np.asarray(profits, float)
    return values[values <= 0]


def expectancy(profits: Numbers) -> float | None:
    """Mean profit of a trade; None without trades. Of multiples of R: expectancy in R."""
    return float(np.mean(profits)) if len(profits) else None


def longest_streak(profits: Numbers, *, won: bool) -> int:
    """Most winning (or not winning) trades in a row."""
    longest = here = 0
    for profit in profits:
        here = here + 1 if (profit > 0) == won else 0
        longest = max(longest, here)
    return longest


def average_hold_hours(trips: Sequence[RoundTrip]) -> float | None:
    """Mean hours from first entry fill to last exit fill; None without trades."""
    held = sum(trip.exit_ns - trip.entry_ns for trip in trips)
    return held / len(trips) / NS_PER_HOUR if trips else None


def time_in_market(result: Finished) -> float | None:
    """Share of decided bars after which their market held a position; None without bars."""
    lots = result.decisions["position_lots"]
    return float(np.mean(lots != 0)) if len(lots) else None


def exposure(result: Finished, grids: Sequence[Grid]) -> float | None:
    """Mean over the bars' times of all positions' absolute value over equity; None without bars."""
    decisions = result.decisions
    if not len(decisions):
        return None
    lot = np.array([float(grid.lot_size) for grid in grids])[result.decision_market]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.abs(decisions["position_lots"]) * lot * decisions["close"] / decisions["equity"]
    moments = len(np.unique(decisions["bar_open_ns"])) if len(grids) > 1 else len(decisions)
    return float(np.nansum(share) / moments)


def turnover(result: Finished, grids: Sequence[Grid]) -> float | None:
    """Value bought and sold over mean equity, per year of 365 days; None under 30 days."""
    days = paths.span_days(result.decisions["bar_open_ns"])
    if days < LEAST_DAYS:
        return None
    step = np.array([float(grid.lot_size * grid.tick_size) for grid in grids])[result.fill_market]
    traded = float(np.sum(result.fills["quantity_lots"] * result.fills["price_ticks"] * step))
    return traded / float(result.decisions["equity"].mean()) * DAYS_PER_YEAR / days


def measure(
    result: Finished, trips: Sequence[RoundTrip], grids: Sequence[Grid], *, cash: float
) -> dict[str, float | None]:
    """Every metric of ``declared.METRICS`` by name."""
    account = result.account[0]
    end, opens = float(account["equity"]), result.decisions["bar_open_ns"]
    path = np.r_[cash, result.decisions["equity"], end]
    profits = [float(trip.profit) for trip in trips]
    multiples = [r for trip in trips if (r := trip.r) is not None]
    return {
        "net_profit": end - cash,
        "return": end / cash - 1,
        **_of_days(paths.returns_of(result, cash), end / cash, paths.span_days(opens), path),
        "longest_drawdown_days": paths.longest_drawdown_days(
            opens, result.decisions["equity"], cash
        ),
        **_of_trades(profits, multiples),
        "average_hold_hours": average_hold_hours(trips),
        "time_in_market": time_in_market(result),
        "exposure": exposure(result, grids),
        "turnover": turnover(result, grids),
        "fees": float(account["fees"]),
    }


def _of_days(
    returns: np.ndarray, growth: float, days: float, path: np.ndarray
) -> dict[str, float | None]:
    cagr, deepest = yearly(growth, days), paths.max_drawdown(path)
    return {
        "cagr": cagr,
        "annual_volatility": annual_volatility(returns),
        "sharpe": sharpe(returns),
        "sortino": sortino(returns),
        "calmar": calmar(cagr, deepest),
        "skewness": skewness(returns),
        "kurtosis": kurtosis(returns),
        "best_day": float(returns.max()) if len(returns) else None,
        "worst_day": float(returns.min()) if len(returns) else None,
        "max_drawdown": deepest,
    }


def _of_trades(profits: Numbers, multiples: Numbers) -> dict[str, float | None]:
    return {
        "trades": len(profits),
        "win_rate": win_rate(profits),
        "profit_factor": profit_factor(profits),
        "average_win": average_win(profits),
        "average_loss": average_loss(profits),
        "expectancy": expectancy(profits),
        "expectancy_r": expectancy(multiples),
        "best_trade": max(profits, default=None),
        "worst_trade": min(profits, default=None),
        "longest_winning_streak": longest_streak(profits, won=True),
        "longest_losing_streak": longest_streak(profits, won=False),
    }
