"""backtesting.py over the same bars."""

import harness
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

COLUMNS = ("open", "high", "low", "close", "volume")


def average(values: np.ndarray, bars: int) -> np.ndarray:
    """An exponential average."""
    return pd.Series(values).ewm(span=bars, adjust=False).mean().to_numpy()


class EmaCross(Strategy):
    """Long above, flat below."""

    def init(self) -> None:
        self.fast = self.I(average, self.data.Close, harness.FAST)
        self.slow = self.I(average, self.data.Close, harness.SLOW)

    def next(self) -> None:
        if self.fast[-1] > self.slow[-1]:
            if not self.position:
                self.buy(size=harness.SHARE)
        elif self.position:
            self.position.close()


class Supertrend(Strategy):
    """Long when it turns up, out when it turns down or at the stop."""

    def init(self) -> None:
        high, low, close = (np.asarray(self.data[name]) for name in ("High", "Low", "Close"))
        atr = harness.average_range(high, low, close)
        self.atr = self.I(lambda: atr)
        self.direction = self.I(lambda: harness.supertrend(high, low, close, atr))

    def next(self) -> None:
        if self.direction[-1] > 0 > self.direction[-2] and not self.position:
            self.buy(size=harness.SHARE, sl=self.data.Close[-1] - harness.STOP * self.atr[-1])
        elif self.direction[-1] < 0 and self.position:
            self.position.close()


def main() -> None:
    """Run one rule."""
    args = harness.arguments()
    bars = harness.load(args.folder)
    frame = pd.DataFrame({name.capitalize(): bars[name] for name in COLUMNS})
    frame.index = pd.to_datetime(bars["open_ns"])
    rule = EmaCross if args.rule == "ema" else Supertrend

    def run() -> int:
        test = Backtest(
            frame, rule, cash=harness.CASH, commission=harness.FEE, finalize_trades=True
        )
        return int(test.run()["# Trades"])

    harness.tell(run)


main()
