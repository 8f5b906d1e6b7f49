"""API v1: what pages and programs ask of trading, over HTTP with JSON."""
