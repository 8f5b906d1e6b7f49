"""Kraken Spot: REST and WebSocket v2 behind the engine's ports."""
