"""Backtests: the engine's own pipeline and fill model over arrays; Django-free."""
