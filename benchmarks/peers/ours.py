"""Our full stack: every strategy, confluence, risk, exits, a decision record a bar, the trade list."""

from decimal import Decimal

import harness

from trading.backtest import runner, trips
from trading.core import pipeline
from trading.core.config.profiles import PROFILES


def main() -> None:
    """Run the pipeline twice: over fresh memory and over memory used before."""
    bars = harness.load(harness.arguments().folder)
    markets = pipeline.new_markets(1)
    grid = markets[0]["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = 0.1, 1e-8, 60_000_000_000
    grid["min_quantity_lots"], grid["min_notional"] = 10_000, 5.0
    grids = [trips.Grid(harness.PAIR, Decimal("0.1"), Decimal("1e-8"))]
    runner.warm()

    def run() -> int:
        result = runner.run(
            series=[bars], markets=markets, params=[PROFILES["balanced"]], cash=harness.CASH
        )
        if len(result.decisions) != len(bars):
            raise SystemExit("a decision record is missing")
        return len(trips.round_trips(result, grids))

    harness.tell(run, calls=2)


main()
