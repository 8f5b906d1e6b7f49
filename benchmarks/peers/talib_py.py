"""Vectorised TA-Lib signals and a loop over the few bars where something happens."""

import harness
import numpy as np
import talib


def trades_of(entries: np.ndarray, exits: np.ndarray, bars: np.ndarray, stops: np.ndarray) -> int:
    """Trades from entry to exit or stop; the next open fills, the stop its own price."""
    opens, low = bars["open"], bars["low"]
    cash, count, at = harness.CASH, 0, 0
    first_exits = np.append(np.flatnonzero(exits), len(bars) - 1)
    for entry in np.flatnonzero(entries).tolist():
        if entry < at or entry + 1 >= len(bars):
            continue
        bought = opens[entry + 1]
        exit_at = int(first_exits[np.searchsorted(first_exits, entry + 1)])
        hit = np.flatnonzero(low[entry + 1 : exit_at + 1] <= stops[entry])
        at = entry + 1 + int(hit[0]) if len(hit) else exit_at
        sold = stops[entry] if len(hit) else opens[min(at + 1, len(bars) - 1)]
        quantity = harness.SHARE * cash / bought
        cash += quantity * (sold - bought) - harness.FEE * quantity * (sold + bought)
        count += 1
    return count


def main() -> None:
    """Run one rule."""
    args = harness.arguments()
    bars = harness.load(args.folder)
    high, low, close = (np.ascontiguousarray(bars[name]) for name in ("high", "low", "close"))

    def run() -> int:
        if args.rule == "ema":
            above = talib.EMA(close, harness.FAST) > talib.EMA(close, harness.SLOW)
            stops = np.zeros(len(bars))
        else:
            atr = np.nan_to_num(talib.ATR(high, low, close, harness.PERIOD))
            above = harness.supertrend(high, low, close, atr) > 0
            stops = close - harness.STOP * atr
        before = np.concatenate([above[:1], above[:-1]])
        return trades_of(above & ~before, ~above & before, bars, stops)

    harness.tell(run, calls=2)


main()
