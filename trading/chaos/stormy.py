"""Seeded bars of a market in a bad mood: enough happens within a few hours to trade on."""

import numpy as np

from trading.core.records import BAR

MINUTE_NS = 60_000_000_000
FIRST_MINUTE = 1_000_000
HOLE = slice(200, 245)


def stormy_bars(seed: int, count: int, *, price: float = 20_000.0) -> np.ndarray:
    """``count`` one-minute bars (dtype BAR) with trends, quiet stretches, jumps and missing ones."""
    rng = np.random.default_rng(seed)
    regime = np.repeat(rng.choice([0.3, 1.0, 3.0], size=count // 50 + 1), 50)[:count]
    drift = np.repeat(rng.normal(0, 0.0006, size=count // 80 + 1), 80)[:count]
    steps = rng.standard_t(4, size=count) * 0.0015 * regime + drift
    close = price * np.exp(np.cumsum(steps))
    bars = np.zeros(count, BAR)
    bars["open_ns"] = (np.arange(count) + FIRST_MINUTE) * MINUTE_NS
    bars["open"] = np.concatenate([[price], close[:-1]]) * (1 + rng.normal(0, 2e-4, count))
    bars["close"] = close
    spread = np.abs(rng.normal(0, 0.001, (2, count))) * regime
    bars["high"] = np.maximum(bars["open"], close) * (1 + spread[0])
    bars["low"] = np.minimum(bars["open"], close) * (1 - spread[1])
    bars["volume"] = rng.lognormal(1, 1, count)
    keep = rng.random(count) > 0.01
    if count > 400:
        keep[HOLE] = False
    return bars[keep]
