"""Online logistic regression on the features of closed trades; part of the market's state.

One step of stochastic gradient descent on the log loss per closed trade, with a little shrinkage
(Bottou 2010). It has no say before fifty trades.
"""

import math

import numpy as np

from trading.core.config.features import N_FEATURES
from trading.core.jit import kernel

LEAST_TRADES = 50
SHRINK = 1e-4
STATE = np.dtype([("seen", "i8"), ("bias", "f8"), ("weights", "f8", (N_FEATURES,))])


@kernel
def sigmoid(x):
    """1 / (1 + e^-x), without overflow."""
    return 1.0 / (1.0 + math.exp(-min(max(x, -30.0), 30.0)))


@kernel
def score(s, features):
    """Probability of a gain as the weights have it."""
    total = s.bias
    for k in range(N_FEATURES):
        total += s.weights[k] * features[k]
    return sigmoid(total)


@kernel
def predict(s, features):
    """Probability of a gain; NaN before fifty closed trades."""
    return score(s, features) if s.seen >= LEAST_TRADES else np.nan


@kernel
def learn(s, features, won, rate):
    """One step towards the outcome of a closed trade."""
    if rate <= 0.0:
        return
    error = (1.0 if won else 0.0) - score(s, features)
    s.bias += rate * error
    for k in range(N_FEATURES):
        s.weights[k] += rate * (error * features[k] - SHRINK * s.weights[k])
    s.seen += 1
