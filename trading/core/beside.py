"""News beside the bars: what a decision knows of it, and what is too old to be known."""

import numpy as np

from trading.core.jit import kernel

NS_PER_SECOND = 1_000_000_000
NS_PER_HOUR = 3_600 * NS_PER_SECOND


@kernel
def forget_book(inputs):
    """No book is known at this close."""
    inputs.imbalance = inputs.book_score = inputs.spread = np.nan
    inputs.depth = inputs.whale_bias = np.nan


@kernel
def refresh(market, p, close_ns):
    """What is known beside the bars at this close; too old is absent."""
    inputs, known = market.inputs, market.book
    age = close_ns - known.time_ns
    if known.time_ns > 0 and age <= p.book_age_seconds * NS_PER_SECOND:
        inputs.imbalance, inputs.book_score = known.imbalance, known.book_score
        inputs.spread, inputs.depth = known.spread, known.depth
        inputs.whale_bias = known.whale_bias
    else:
        forget_book(inputs)
    age = close_ns - market.funding_ns
    told = market.funding_ns > 0 and age <= p.funding_age_hours * NS_PER_HOUR
    inputs.funding_rate = market.funding_rate if told else np.nan


@kernel
def note_book(used, market):
    """What of the book this decision knows."""
    inputs = market.inputs
    used.time_ns = 0 if np.isnan(inputs.spread) else market.book.time_ns
    used.imbalance = inputs.imbalance
    used.book_score = inputs.book_score
    used.spread = inputs.spread
    used.depth = inputs.depth
    used.whale_bias = inputs.whale_bias


@kernel
def recall_book(market, used):
    """Know the book again that a stored decision knew."""
    known = market.book
    known.time_ns = used.time_ns
    known.imbalance = used.imbalance
    known.book_score = used.book_score
    known.spread = used.spread
    known.depth = used.depth
    known.whale_bias = used.whale_bias
    if used.time_ns == 0:
        forget_book(market.inputs)
