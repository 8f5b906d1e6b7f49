"""Optional breadth: market data of any venue that ccxt knows, for paper trading; no orders."""
