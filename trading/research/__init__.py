"""What a backtest, a sweep or a walk-forward is asked to do: pure plans, no rows and no compiler."""
