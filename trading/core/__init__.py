"""The decision core: pure numbers in, numbers out; one compiled path for backtest, paper and live."""
