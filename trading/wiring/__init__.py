"""Composition root: rows -> parameters + ports -> Runner / backtest."""
