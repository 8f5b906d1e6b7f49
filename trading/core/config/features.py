"""What a model sees of a candidate: names in order, centre and scale, and the hash of both."""

import hashlib

FEATURES = (  # name, centre, scale: (value - centre) / scale, cut at three either side
    ("direction", 0.0, 1.0),
    ("rsi", 50.0, 25.0),
    ("ema_ratio", 0.0, 0.01),
    ("momentum", 0.0, 0.05),
    ("adx", 25.0, 15.0),
    ("choppiness", 50.0, 15.0),
    ("volume_ratio", 1.0, 0.5),
    ("atr_to_price", 0.02, 0.01),
    ("volatility_rank", 0.5, 0.3),
    ("trending", 0.0, 1.0),
    ("score", 0.5, 0.25),
    ("confidence", 0.6, 0.2),
    ("agreeing", 2.0, 1.0),
    ("opposing", 0.0, 1.0),
    ("timeframes", 1.0, 1.0),
    ("reward_to_risk", 2.0, 1.0),
    ("reward_to_cost", 3.0, 2.0),
    ("book_score", 0.0, 0.2),
    ("spread", 0.001, 0.0005),
    ("hour_sine", 0.0, 1.0),
    ("hour_cosine", 0.0, 1.0),
)
FEATURE_NAMES = tuple(name for name, _, _ in FEATURES)
N_FEATURES = len(FEATURES)
FEATURE_HASH = hashlib.sha256(repr(FEATURES).encode()).hexdigest()
