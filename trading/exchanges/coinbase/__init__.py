"""Coinbase Advanced Trade: REST and WebSocket behind the engine's ports."""
