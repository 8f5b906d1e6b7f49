"""Closed bars of up to three timeframes from one stream, each with its indicators and votes.

Timeframe 0 is the bot's own; the others gather its bars into buckets aligned to the epoch. A
bucket is closed by the bar that completes it, or, where that bar is missing, by the first bar
after it: nothing is ever decided on a bar that is still forming.
"""

import numpy as np

from trading.core import regime
from trading.core import strategies as all_strategies
from trading.core.indicators import (
    adx,
    atr,
    choppiness,
    ema,
    momentum,
    rsi,
    volatility_rank,
    window,
)
from trading.core.jit import kernel, stage
from trading.core.records import BAR, NOW, OPINION, TIMEFRAMES, VOTE

ATR_BARS = ADX_BARS = RSI_BARS = 14
VOLUME_BARS = 20
FAST_BARS, SLOW_BARS = 12, 26
MOMENTUM_BARS = 10
CHOPPY_BARS = 14
VOLUMES = window.state(32)

TIMEFRAME = np.dtype(
    [
        ("bar", BAR),  # the bar being built
        ("bars", "i8"),  # how many bars of the bot's timeframe it holds, 0: none
        ("bars_seen", "i8"),
        ("now", NOW),
        ("atr", atr.STATE),
        ("adx", adx.STATE),
        ("rsi", rsi.STATE),
        ("volumes", VOLUMES),
        ("ema_fast", ema.STATE),
        ("ema_slow", ema.STATE),
        ("momentum", momentum.STATE),
        ("choppiness", choppiness.STATE),
        ("volatility", volatility_rank.STATE),
        ("strategies", all_strategies.STATE),
        ("votes", VOTE, (all_strategies.N,)),
        ("opinion", OPINION),
    ]
)


@kernel
def multiple(p, k):
    """How many bars of the bot's timeframe make one of timeframe ``k``; 0: it is off."""
    if k == 0:
        return 1
    size = p.second if k == 1 else p.third
    return size if size > 1 else 0


@kernel
def in_use(p):
    """Bits of the timeframes that are on."""
    active = 1
    for k in range(1, TIMEFRAMES):
        if multiple(p, k) > 0:
            active |= 1 << k
    return active


@kernel
def deciding(p):
    """The timeframe whose closed bars make candidates; the bot's own where the chosen is off."""
    return p.deciding if multiple(p, p.deciding) > 0 else 0


@kernel
def gather(frame, bar, size, timeframe_ns):
    """Take a bar into the bucket of a longer timeframe; 1 when that bucket is complete."""
    built = frame.bar
    if frame.bars == 0:
        length = size * timeframe_ns
        built.open_ns = bar.open_ns - bar.open_ns % length
        built.open, built.high, built.low = bar.open, bar.high, bar.low
        built.volume = 0.0
    built.high = max(built.high, bar.high)
    built.low = min(built.low, bar.low)
    built.close = bar.close
    built.volume += bar.volume
    frame.bars += 1
    if bar.open_ns + timeframe_ns >= built.open_ns + size * timeframe_ns:
        frame.bars = 0
        return 1
    return 0


@kernel
def is_over(frame, bar, size, timeframe_ns):
    """Whether a bucket that is being built ended before this bar."""
    return frame.bars > 0 and bar.open_ns >= frame.bar.open_ns + size * timeframe_ns


@stage
def see(frame, bar, p, inputs):
    """A closed bar of one timeframe: indicators, regime and votes."""
    now = frame.now
    frame.bars_seen += 1
    now.atr = atr.update(frame.atr, bar.high, bar.low, bar.close, ATR_BARS)
    now.adx = adx.update(frame.adx, bar.high, bar.low, bar.close, ADX_BARS)
    now.rsi = rsi.update(frame.rsi, bar.close, RSI_BARS)
    average = window.mean(frame.volumes, VOLUME_BARS)
    now.volume_ratio = bar.volume / average if average > 0.0 else np.nan
    window.push_sum(frame.volumes, bar.volume, VOLUME_BARS)
    now.usual_volume = window.mean(frame.volumes, VOLUME_BARS)
    now.ema_fast = ema.update(frame.ema_fast, bar.close, FAST_BARS)
    now.ema_slow = ema.update(frame.ema_slow, bar.close, SLOW_BARS)
    now.momentum = momentum.update(frame.momentum, bar.close, MOMENTUM_BARS)
    now.choppiness = choppiness.update(frame.choppiness, bar.high, bar.low, bar.close, CHOPPY_BARS)
    now.volatility_rank = volatility_rank.update(frame.volatility, bar.high, bar.low, bar.close)
    now.regime = regime.classify(now.adx, p.confluence.trend_adx)
    now.volatility = regime.classify_volatility(now.volatility_rank)
    now.imbalance = inputs.imbalance
    now.book_score = inputs.book_score
    now.spread = inputs.spread
    now.depth = inputs.depth
    now.whale_bias = inputs.whale_bias
    now.funding_rate = inputs.funding_rate
    all_strategies.score_all(frame.strategies, p.strategies, bar, now, frame.votes)
