"""A DECISION record in words; pure Python, so that pages need no compiler."""

import math
from typing import Any

import numpy as np

from trading.core.codes import Abstain, Gate, Reason, Regime, Side, Stage, Verdict
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.records import decision_dtype

DECISION = decision_dtype(len(STRATEGY_NAMES))

SENTENCES = {
    Reason.NONE: "Entered: every gate said yes.",
    Reason.WARMING_UP: "Indicators are still warming up.",
    Reason.POSITION_OPEN: "A position is open and is being managed.",
    Reason.ORDER_PENDING: "An entry is on its way.",
    Reason.NO_VOTE: "No strategy saw a setup.",
    Reason.VOTES_TIED: "Strategies disagreed.",
    Reason.SCORE_TOO_LOW: "The votes were too weak.",
    Reason.CONFIDENCE_TOO_LOW: "The votes were not sure enough.",
    Reason.TOO_FEW_VOTES: "Too few strategies agreed, and none was sure enough alone.",
    Reason.SHORT_NOT_ALLOWED: "The setup was short; this account only buys.",
    Reason.HELD: "Entries are on hold.",
    Reason.AFTER_DATA_GAP: "Data was missing; waiting until prices are trusted again.",
    Reason.COOLING_DOWN: "Cooling down after the last exit.",
    Reason.TOO_MANY_POSITIONS: "As many positions are open as the limit allows.",
    Reason.DAILY_LOSS_REACHED: "The daily loss limit is reached.",
    Reason.DRAWDOWN_REACHED: "The drawdown limit is reached.",
    Reason.REWARD_BELOW_COSTS: "The target would not pay for fees and risk.",
    Reason.STOP_OUT_OF_BOUNDS: "The stop would be too far away.",
    Reason.EXPOSURE_FULL: "Open positions use all of the allowed exposure.",
    Reason.BELOW_MINIMUM: "The size would be below the venue's minimum.",
}


def words(code: Stage | Reason | Regime | Side | Gate | Verdict | Abstain) -> str:
    """A code's name as people write it."""
    return code.name.replace("_", " ").lower()


def number(value: float) -> float | None:
    """A finite number, or None where the record has none."""
    return float(value) if math.isfinite(value) else None


def read(record: bytes) -> np.void:
    """The record of stored bytes.

    Raises:
        ValueError: the bytes are not one DECISION of this core's layout.
    """
    if len(record) != DECISION.itemsize:
        raise ValueError(f"a decision has {DECISION.itemsize} bytes, this one {len(record)}")
    return np.frombuffer(record, dtype=DECISION)[0]


def describe(record: np.void) -> dict[str, Any]:
    """Everything a page or an API shows of a decision, with plain values."""
    reason = Reason(int(record["reason"]))
    return {
        "bar_open_ms": int(record["bar_open_ns"]) // 1_000_000,
        "stage": words(Stage(int(record["stage"]))),
        "reason": words(reason),
        "sentence": SENTENCES[reason],
        "regime": words(Regime(int(record["regime"]))),
        "side": words(Side(int(record["side"]))),
        "score": number(record["score"]),
        "confidence": number(record["confidence"]),
        "close": number(record["close"]),
        "atr": number(record["atr"]),
        "adx": number(record["adx"]),
        "rsi": number(record["rsi"]),
        "equity": number(record["equity"]),
        "stop_distance": number(record["stop_distance"]),
        "target_distance": number(record["target_distance"]),
        "votes": [
            _vote(name, vote) for name, vote in zip(STRATEGY_NAMES, record["votes"], strict=True)
        ],
        "gates": [
            {
                "name": words(gate),
                "value": number(record["gates"][gate]["value"]),
                "limit": number(record["gates"][gate]["limit"]),
                "verdict": words(Verdict(int(record["gates"][gate]["verdict"]))),
            }
            for gate in Gate
        ],
    }


def _vote(name: str, vote: np.void) -> dict[str, Any]:
    return {
        "strategy": name,
        "score": number(vote["score"]),
        "confidence": number(vote["confidence"]),
        "abstained": words(Abstain(int(vote["abstain"]))),
    }
