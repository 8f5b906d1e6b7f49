"""Results made by hand and runs of the core over seeded bars."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np

from tests.core import play
from tests.core.samples import walk
from trading.backtest import report, trips
from trading.backtest.runner import Result
from trading.backtest.trips import Grid
from trading.core import fills, pipeline
from trading.core.codes import ExitReason, Purpose, Reason
from trading.core.config.money import CostParams, SizingParams
from trading.core.records import FILL

DAY = 86_400_000_000_000
GRID = Grid("BTC/USD", Decimal("0.5"), Decimal("0.01"))
WALK_GRID = Grid("BTC/USD", Decimal("0.01"), Decimal("0.0001"))


def fill(
    hours: float, purpose: Purpose, side: int, lots: int, ticks: int, fee: float, reason=0, seq=0
):
    row = np.zeros(1, FILL)
    row["time_ns"], row["purpose"], row["side"] = int(hours * DAY / 24), purpose, side
    row["quantity_lots"], row["price_ticks"], row["final"] = lots, ticks, 1
    row["fee_units"], row["reason"], row["intent_seq"] = round(fee * 1e8), reason, seq
    return row


def result(equity: list[float], rows: list[np.ndarray], *, held: list[int] | None = None) -> Result:
    """One market, one bar a day, from the first of January 1970 on."""
    decisions = np.zeros(len(equity), pipeline.DECISION)
    decisions["bar_open_ns"] = np.arange(len(equity)) * DAY
    decisions["equity"], decisions["reason"] = equity, Reason.NO_VOTE
    decisions["position_lots"] = held or 0
    account = pipeline.new_account(equity[-1])
    account["fees"] = sum(float(row["fee_units"][0]) for row in rows) / 1e8
    return Result(
        decisions,
        np.zeros(len(equity), "i8"),
        np.concatenate(rows) if rows else np.zeros(0, FILL),
        np.zeros(len(rows), "i8"),
        account,
        pipeline.new_markets(1),
        fills.new_sims(1),
    )


# 1 BTC bought at 100 and sold at 110, then 2 BTC bought in two fills (100 and 104) and sold at 99.
ROWS = [
    fill(0, Purpose.ENTRY, 1, 100, 200, 0.25),
    fill(6, Purpose.EXIT, -1, 100, 220, 0.25, ExitReason.TARGET),
    fill(24, Purpose.ENTRY, 1, 100, 200, 0.25),
    fill(24, Purpose.ENTRY, 1, 100, 208, 0.25),
    fill(26, Purpose.PROTECT, -1, 200, 198, 0.5, ExitReason.STOP),
]


# Small positions held for minutes, so that a short walk has many trades and no limit is reached.
BUSY = replace(
    play.EAGER,
    sizing=SizingParams(risk_per_trade=0.0005, max_position=0.1),
    exits=replace(play.EAGER.exits, max_hold_bars=15, stop_scale=2.0),
    costs=CostParams(taker_fee_bps=1.0, half_spread_bps=0.5, slippage_bps=0.5),
)


@cache
def walk_run(count: int = 6_000, seed: int = 3) -> report.Run:
    """The busy core over a seeded walk of minutes: a few hundred trades, long and short."""
    return run_of(walk(seed, count))


def run_of(bars: np.ndarray) -> report.Run:
    """The busy core over given bars."""
    finished = play.run(bars, BUSY)
    return report.Run(
        result=finished,
        trips=trips.round_trips(finished, [WALK_GRID]),
        grids=[WALK_GRID],
        series=[bars],
        costs=BUSY.costs,
        cash=10_000.0,
        currency="USD",
    )
