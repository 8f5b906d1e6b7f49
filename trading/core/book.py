"""Order-book microstructure: levels in, one BOOK record out.

Levels come best first as (price, quantity). Imbalance over the best ten, spread over mid, depth in
quote currency over the best twenty-five, large resting orders ("whales") and orders that vanish
between two snapshots ("spoofs"). All sizes are notional, so that a coin's price changes nothing.
"""

import math

import numpy as np

from trading.core.jit import kernel

BEST, DEEP, TOP = 10, 25, 5
WHALE_NOTIONAL, WHALE_TIMES = 50_000.0, 5.0
VOID = 0.003  # a hole of this size between neighbouring levels
SPOOF_AGE_NS = 10_000_000_000
SPOOF_LEVEL, SPOOF_TOTAL = 3.0, 10.0  # times the mean level of its side
FULL_DEPTH = 100_000.0

BOOK = np.dtype(
    [
        ("time_ns", "i8"),  # 0: never seen
        ("imbalance", "f8"),  # -1 … 1
        ("book_score", "f8"),  # -1 … 1
        ("spread", "f8"),  # over mid
        ("depth", "f8"),  # quote currency, both sides
        ("whale_bias", "f8"),  # -1 … 1
        ("spoofed", "i8"),
        ("top_prices", "f8", (2, TOP)),
        ("top_notionals", "f8", (2, TOP)),
    ]
)


@kernel
def side_sums(levels):
    """(notional of the best, of the deep levels, mean level, whales' notional, voids)."""
    best, deep, whales, voids = 0.0, 0.0, 0.0, 0
    n = min(len(levels), DEEP)
    for k in range(n):
        notional = levels[k, 0] * levels[k, 1]
        deep += notional
        if k < BEST:
            best += notional
        if k > 0 and abs(levels[k, 0] / levels[k - 1, 0] - 1.0) > VOID:
            voids += 1
    mean = deep / n if n > 0 else 0.0
    for k in range(n):
        notional = levels[k, 0] * levels[k, 1]
        if notional >= WHALE_NOTIONAL and notional > WHALE_TIMES * mean:
            whales += notional
    return best, deep, mean, whales, voids


@kernel
def vanished(book, side, levels, mean):
    """Notional of large top levels of the last snapshot that are gone now."""
    gone = 0.0
    for t in range(TOP):
        price, notional = book.top_prices[side, t], book.top_notionals[side, t]
        if notional <= SPOOF_LEVEL * mean or price <= 0.0:
            continue
        there = False
        for k in range(min(len(levels), DEEP)):
            there |= levels[k, 0] == price
        gone += 0.0 if there else notional
    return gone


@kernel
def keep_top(book, side, levels):
    """Remember the best levels for the next snapshot."""
    for t in range(TOP):
        known = t < len(levels)
        book.top_prices[side, t] = levels[t, 0] if known else 0.0
        book.top_notionals[side, t] = levels[t, 0] * levels[t, 1] if known else 0.0


@kernel
def balance(a, b):
    """(a - b) / (a + b); 0 for nothing on either side."""
    return (a - b) / (a + b) if a + b > 0.0 else 0.0


@kernel
def update(book, bids, asks, time_ns):
    """Take in a snapshot: float arrays of shape (levels, 2), best first; False if it is unusable.

    An empty side, a crossed book or a price or quantity that is no positive number is unusable: the
    record stays as it was and goes stale.
    """
    if len(bids) == 0 or len(asks) == 0 or not bids[0, 0] < asks[0, 0]:
        return False
    for levels in (bids, asks):
        for k in range(min(len(levels), DEEP)):
            if not (0.0 < levels[k, 0] < np.inf and 0.0 < levels[k, 1] < np.inf):
                return False
    best_bid, deep_bid, mean_bid, whale_bid, void_bid = side_sums(bids)
    best_ask, deep_ask, mean_ask, whale_ask, void_ask = side_sums(asks)
    recent = book.time_ns > 0 and time_ns - book.time_ns <= SPOOF_AGE_NS
    gone_bid = vanished(book, 0, bids, mean_bid) if recent else 0.0
    gone_ask = vanished(book, 1, asks, mean_ask) if recent else 0.0
    spoofed = gone_bid > SPOOF_TOTAL * mean_bid or gone_ask > SPOOF_TOTAL * mean_ask
    mid = 0.5 * (bids[0, 0] + asks[0, 0])
    book.time_ns = time_ns
    book.spread = (asks[0, 0] - bids[0, 0]) / mid
    book.depth = deep_bid + deep_ask
    book.imbalance = balance(best_bid, best_ask)
    book.whale_bias = balance(whale_bid, whale_ask)
    book.spoofed = 1 if spoofed else 0
    book.book_score = judge(book, deep_bid, deep_ask, void_bid + void_ask)
    keep_top(book, 0, bids)
    keep_top(book, 1, asks)
    return True


@kernel
def judge(book, deep_bid, deep_ask, voids):
    """Imbalance, depth and whales weighted, times the book's quality, within -1 … 1."""
    pressure = 0.0
    if book.imbalance > 0.15 or deep_bid > 1.5 * deep_ask:
        pressure += 0.5
    if book.imbalance < -0.15 or deep_ask > 1.5 * deep_bid:
        pressure -= 0.5
    raw = 0.6 * book.imbalance + 0.25 * balance(deep_bid, deep_ask)
    raw += 0.1 * pressure + 0.05 * book.whale_bias
    quality = 0.5 + (0.2 if book.spread < 0.001 else (0.1 if book.spread < 0.003 else 0.0))
    quality += 0.2 * min(math.sqrt(book.depth / FULL_DEPTH), 1.0) - min(0.05 * voids, 0.2) + 0.1
    quality = min(max(quality, 0.0), 1.0)
    if book.spoofed == 1:
        quality *= 0.5
    if book.spread > 0.003:
        quality *= 0.7
    return min(max(raw * quality, -1.0), 1.0)
