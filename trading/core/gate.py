"""A small dense network evaluated inside the compiled pass; its weights ride with the parameters.

Two hidden layers with ReLU and a sigmoid at the end. Without a model, or with one made for other
features, there is no probability: the pipeline then asks for more confidence (the safe fallback).
"""

import numpy as np

from trading.core import learner
from trading.core.config.features import FEATURE_HASH, N_FEATURES
from trading.core.jit import kernel

FIRST, SECOND = 32, 16
MODEL = np.dtype(
    [
        ("present", "i8"),
        ("w1", "f8", (FIRST, N_FEATURES)),
        ("b1", "f8", (FIRST,)),
        ("w2", "f8", (SECOND, FIRST)),
        ("b2", "f8", (SECOND,)),
        ("w3", "f8", (SECOND,)),
        ("b3", "f8"),
    ]
)
SHAPES = {name: MODEL[name].shape for name in ("w1", "b1", "w2", "b2", "w3", "b3")}
MODEL_SHARE = 0.6  # of the model in the blend with the online learner


class BadModel(ValueError):
    """An artefact that must not decide; the text says why."""


def new_model(arrays: dict[str, np.ndarray], *, feature_hash: str) -> np.ndarray:
    """The MODEL record of an artefact's weights.

    Raises:
        BadModel: made for other features, of another shape, or with a value that is no number.
    """
    if feature_hash != FEATURE_HASH:
        raise BadModel(
            f"the model was made for features {feature_hash[:12]}, not {FEATURE_HASH[:12]}"
        )
    model = np.zeros(1, MODEL)
    for name, shape in SHAPES.items():
        if name not in arrays:
            raise BadModel(f"{name} is missing; a model has {', '.join(SHAPES)}")
        values = np.asarray(arrays[name], "f8")
        if values.shape != shape:
            raise BadModel(f"{name} must have the shape {shape}, was {values.shape}")
        if not np.isfinite(values).all():
            raise BadModel(f"{name} has values that are no finite numbers")
        model[name] = values
    model["present"] = 1
    return model


@kernel
def network(m, features):
    """The network's probability of a gain."""
    hidden = np.empty(FIRST)
    for i in range(FIRST):
        outer = m.b1[i]
        for k in range(N_FEATURES):
            outer += m.w1[i, k] * features[k]
        hidden[i] = max(outer, 0.0)
    total = m.b3
    for j in range(SECOND):
        inner = m.b2[j]
        for i in range(FIRST):
            inner += m.w2[j, i] * hidden[i]
        total += m.w3[j] * max(inner, 0.0)
    return learner.sigmoid(total)


@kernel
def probability(model, online, features):
    """Model and online learner blended 6 : 4; either alone; NaN when there is neither."""
    learned = learner.predict(online, features)
    if model.present == 0:
        return learned
    found = network(model, features)
    return found if np.isnan(learned) else MODEL_SHARE * found + (1.0 - MODEL_SHARE) * learned
