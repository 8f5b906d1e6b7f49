"""vectorbt over the same bars; the second, compiled call counts."""

import harness
import numpy as np
import pandas as pd
import vectorbt as vbt


def main() -> None:
    """Run one rule: signals as arrays, then Portfolio.from_signals."""
    args = harness.arguments()
    bars = harness.load(args.folder)
    index = pd.to_datetime(bars["open_ns"])
    opens, high, low, close = (
        pd.Series(bars[name], index) for name in ("open", "high", "low", "close")
    )

    def run() -> int:
        stop = np.nan
        if args.rule == "ema":
            fast = vbt.MA.run(close, harness.FAST, ewm=True).ma
            slow = vbt.MA.run(close, harness.SLOW, ewm=True).ma
            entries, exits = fast.vbt.crossed_above(slow), fast.vbt.crossed_below(slow)
        else:
            atr = vbt.ATR.run(high, low, close, harness.PERIOD).atr
            direction = vbt_supertrend(high.values, low.values, close.values, atr.bfill().values)
            up = pd.Series(direction > 0, index)
            entries, exits = up.vbt.signals.fshift() < up, up.vbt.signals.fshift() > up
            stop = harness.STOP * atr.bfill() / close
        portfolio = vbt.Portfolio.from_signals(
            close, entries, exits, open=opens, high=high, low=low, sl_stop=stop,
            size=harness.SHARE, size_type="percent", init_cash=harness.CASH, fees=harness.FEE,
            accumulate=False, freq="1min",
        )  # fmt: skip
        portfolio.total_return()
        return int(portfolio.trades.count())

    harness.tell(run, calls=2)


def compiled():
    """The plain loop, compiled by the compiler vectorbt brings along."""
    from numba import njit

    @njit
    def loop(high, low, close, atr):
        direction, upper, lower = np.ones(len(close)), 0.0, 0.0
        for i in range(len(close)):
            middle = (high[i] + low[i]) / 2
            up, down = middle + harness.MULTIPLIER * atr[i], middle - harness.MULTIPLIER * atr[i]
            upper = up if i == 0 or up < upper or close[i - 1] > upper else upper
            lower = down if i == 0 or down > lower or close[i - 1] < lower else lower
            if i:
                direction[i] = direction[i - 1]
            if close[i] > upper:
                direction[i] = 1.0
            elif close[i] < lower:
                direction[i] = -1.0
        return direction

    return loop


vbt_supertrend = compiled()
main()
