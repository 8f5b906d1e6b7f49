"""Result -> plain dict of metrics: round trips, return beside buy and hold, why there were no entries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from trading.backtest.runner import Result
from trading.core.codes import ExitReason, Purpose, Reason
from trading.core.config.money import CostParams
from trading.core.explain import words
from trading.core.records import FEE_UNITS_PER_QUOTE

NS_PER_DAY = 86_400_000_000_000
NS_PER_HOUR = NS_PER_DAY // 24


@dataclass(frozen=True, slots=True)
class Grid:
    """Name and decimal steps of one market."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """From flat to flat: what was bought and sold, fees included in ``profit``."""

    symbol: str
    side: str
    entry_ns: int
    exit_ns: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees: Decimal
    profit: Decimal
    reason: str


def round_trips(result: Result, grids: Sequence[Grid]) -> list[RoundTrip]:
    """Closed positions in order of their end; exact decimals of ticks and lots."""
    opened: dict[int, list[np.void]] = {}
    trips = []
    for market, fill in zip(result.fill_market.tolist(), result.fills, strict=True):
        if fill["quantity_lots"] == 0:
            continue
        held = opened.setdefault(market, [])
        held.append(fill)
        if sum(int(one["side"]) * int(one["quantity_lots"]) for one in held) == 0:
            trips.append(_round_trip(opened.pop(market), grids[market]))
    return trips


def _round_trip(fills: list[np.void], grid: Grid) -> RoundTrip:
    entries = [fill for fill in fills if fill["purpose"] == Purpose.ENTRY]
    exits = [fill for fill in fills if fill["purpose"] != Purpose.ENTRY]
    side = int(entries[0]["side"])
    lots = sum(int(fill["quantity_lots"]) for fill in entries)
    bought, sold = _value(entries, grid), _value(exits, grid)
    fees = sum((_fee(fill) for fill in fills), Decimal(0))
    quantity = lots * grid.lot_size
    return RoundTrip(
        symbol=grid.symbol,
        side="long" if side > 0 else "short",
        entry_ns=int(entries[0]["time_ns"]),
        exit_ns=int(exits[-1]["time_ns"]),
        quantity=quantity,
        entry_price=bought / quantity,
        exit_price=sold / quantity,
        fees=fees,
        profit=side * (sold - bought) - fees,
        reason=ExitReason(int(exits[-1]["reason"])).name.replace("_", " ").lower(),
    )


def _value(fills: list[np.void], grid: Grid) -> Decimal:
    lots_ticks = sum(int(fill["quantity_lots"]) * int(fill["price_ticks"]) for fill in fills)
    return lots_ticks * grid.lot_size * grid.tick_size


def _fee(fill: np.void) -> Decimal:
    return Decimal(int(fill["fee_units"])) / FEE_UNITS_PER_QUOTE


def metrics(result: Result, trips: Sequence[RoundTrip], *, cash: float) -> dict[str, Any]:
    """What the run earned, lost, paid and refrained from."""
    equity = np.r_[cash, result.decisions["equity"], result.account["equity"]]
    days = _span_days(result)
    profits = [trip.profit for trip in trips]
    won, lost = [p for p in profits if p > 0], [p for p in profits if p <= 0]
    account = result.account[0]
    reasons = Counter(result.decisions["reason"].tolist())
    return {
        "start_equity": cash,
        "end_equity": float(account["equity"]),
        "return": float(account["equity"]) / cash - 1,
        "yearly_return": yearly(float(account["equity"]) / cash, days),
        "max_drawdown": float((1 - equity / np.maximum.accumulate(equity)).max()),
        "longest_drawdown_days": _longest_drawdown_days(result, cash),
        "fees": float(account["fees"]),
        "entries": int(account["entries"]),
        "closed_trades": len(trips),
        "open_positions": int((result.markets["position"]["quantity_lots"] != 0).sum()),
        "win_rate": len(won) / len(trips) if trips else None,
        "profit_factor": float(sum(won) / -sum(lost)) if sum(lost) else None,
        "average_win": float(sum(won) / len(won)) if won else None,
        "average_loss": float(sum(lost) / len(lost)) if lost else None,
        "expectancy": float(sum(profits) / len(trips)) if trips else None,
        "average_hold_hours": _average_hold_hours(trips),
        "time_in_market": float(np.mean(result.decisions["position_lots"] != 0)),
        "sharpe_daily": _sharpe(result, cash),
        "exits": dict(Counter(trip.reason for trip in trips).most_common()),
        "decisions": {
            "entered" if code == Reason.NONE else words(Reason(code)): count
            for code, count in reasons.most_common()
        },
    }


def yearly(growth: float, days: float) -> float | None:
    """Compound return of a year of 365 days; None under 30 days or when nothing is left."""
    return growth ** (365 / days) - 1 if days >= 30 and growth > 0 else None


def _span_days(result: Result) -> float:
    opens = result.decisions["bar_open_ns"]
    return float(opens[-1] - opens[0]) / NS_PER_DAY if len(opens) else 0.0


def _longest_drawdown_days(result: Result, cash: float) -> float:
    """Longest time from a peak of equity until it is reached again, or until the end."""
    opens, equity = result.decisions["bar_open_ns"], result.decisions["equity"]
    if not len(opens):
        return 0.0
    peak = np.maximum.accumulate(np.r_[cash, equity])[:-1]
    at_peak = np.r_[opens[0], opens[equity >= peak], opens[-1]]
    return float(np.diff(at_peak).max()) / NS_PER_DAY


def _average_hold_hours(trips: Sequence[RoundTrip]) -> float | None:
    held = sum(trip.exit_ns - trip.entry_ns for trip in trips)
    return held / len(trips) / NS_PER_HOUR if trips else None


def _sharpe(result: Result, cash: float) -> float | None:
    """Mean over deviation of daily returns, times √365; None under 30 days or without movement."""
    days = result.decisions["bar_open_ns"] // NS_PER_DAY
    last = np.flatnonzero(np.r_[days[1:] != days[:-1], True])
    closes = np.r_[cash, result.decisions["equity"][last]]
    returns = closes[1:] / closes[:-1] - 1
    if len(returns) < 30 or returns.std() == 0:
        return None
    return float(returns.mean() / returns.std() * np.sqrt(365))


def buy_and_hold(bars: np.ndarray, costs: CostParams) -> dict[str, float]:
    """All cash into the first open with the same costs, held to the last close: return, drawdown."""
    worse = (costs.half_spread_bps + costs.slippage_bps + costs.taker_fee_bps) * 1e-4
    worth = np.r_[1.0, bars["close"] / (bars["open"][0] * (1 + worse))]
    return {
        "return": float(worth[-1] - 1),
        "max_drawdown": float((1 - worth / np.maximum.accumulate(worth)).max()),
    }
