"""A DECISION record in words; pure Python, so that pages need no compiler."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trading.core.codes import (
    Abstain,
    ExitReason,
    Gate,
    Reason,
    Regime,
    Side,
    Stage,
    Verdict,
    Volatility,
)
from trading.core.config.features import FEATURE_NAMES
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.records import SIZED, TIMEFRAMES, decision_dtype, detail_dtype

DECISION = decision_dtype(len(STRATEGY_NAMES))
DETAIL = detail_dtype(len(STRATEGY_NAMES))
NO_CANDIDATE = {"score": None, "confidence": None}  # nothing was weighed: that is not a 0
NUMBERS = (
    "score",
    "confidence",
    "probability",
    "close",
    "atr",
    "adx",
    "rsi",
    "volume_ratio",
    "choppiness",
    "volatility_rank",
    "equity",
    "stop_distance",
    "target_distance",
)
BOOK_NUMBERS = ("imbalance", "book_score", "spread", "depth", "whale_bias")

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
    Reason.BETWEEN_BARS: "Waiting for the next bar of the deciding timeframe.",
    Reason.TIMEFRAMES_DISAGREE: "Too few timeframes agreed.",
    Reason.MODEL_REFUSED: "The model gave it too small a chance.",
    Reason.QUIET_HOUR: "No entries in the quiet hours.",
    Reason.ACCOUNT_COOLING_DOWN: "The account is cooling down after a loss.",
    Reason.STRATEGY_COOLING_DOWN: "The strategy entered only a moment ago.",
    Reason.GROUP_FULL: "Enough positions of markets that move alike are open.",
    Reason.TOO_MANY_TRADES_THIS_HOUR: "As many entries as an hour may have.",
    Reason.TOO_MANY_TRADES_TODAY: "As many entries as a day may have.",
    Reason.SPREAD_TOO_WIDE: "The spread is too wide.",
    Reason.TOO_LITTLE_LIQUIDITY: "The market is too thin for the least order.",
}
CHASED = "Its limit got nothing; the same entry is asked for again."


def words(
    code: Stage | Reason | Regime | Side | Gate | Verdict | Abstain | Volatility | ExitReason,
) -> str:
    """A code's name as people write it."""
    return code.name.replace("_", " ").lower()


def number(value: float) -> float | None:
    """A finite number, or None where the record has none."""
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Record:
    """A stored decision, with the detail of a bar on which a strategy voted."""

    decision: np.void
    detail: np.void | None


def is_record(record: bytes) -> bool:
    """Whether bytes have the layout of this core."""
    return len(record) in (DECISION.itemsize, DECISION.itemsize + DETAIL.itemsize)


def read(record: bytes) -> Record:
    """The records of stored bytes.

    Raises:
        ValueError: the bytes are not one DECISION, with or without its DETAIL, of this core's layout.
    """
    if not is_record(record):
        raise ValueError(f"a decision has {DECISION.itemsize} bytes, this one {len(record)}")
    decision = np.frombuffer(record, dtype=DECISION, count=1)[0]
    if len(record) == DECISION.itemsize:
        return Record(decision, None)
    return Record(decision, np.frombuffer(record, dtype=DETAIL, offset=DECISION.itemsize)[0])


def describe(record: Record) -> dict[str, Any]:
    """Everything a page or an API shows of a decision, with plain values."""
    d = record.decision
    reason = Reason(int(d["reason"]))
    strategy = int(d["strategy"])
    return {
        "bar_open_ms": int(d["bar_open_ns"]) // 1_000_000,
        "stage": words(Stage(int(d["stage"]))),
        "reason": words(reason),
        "sentence": CHASED if d["chase"] and reason is Reason.NONE else SENTENCES[reason],
        "regime": words(Regime(int(d["regime"]))),
        "volatility": words(Volatility(int(d["volatility"]))),
        "side": words(Side(int(d["side"]))),
        "strategy": STRATEGY_NAMES[strategy] if strategy >= 0 else "",
        "agreeing": int(d["agreeing"]),
        "opposing": int(d["opposing"]),
        "chase": int(d["chase"]),
        **{name: number(d[name]) for name in NUMBERS},
        **({} if d["side"] else NO_CANDIDATE),
        "book": _book(d["book"]),
        "timeframes": [_timeframe(k, record) for k in range(TIMEFRAMES)],
        "votes": [_vote(k, name, record) for k, name in enumerate(STRATEGY_NAMES)],
        "gates": _gates(record.detail),
        "sized": _sized(record.detail),
        "features": _features(record.detail),
    }


def _book(used: np.void) -> dict[str, Any]:
    if not used["time_ns"]:
        return {}
    numbers = {name: number(used[name]) for name in BOOK_NUMBERS}
    return {"time_ms": int(used["time_ns"]) // 1_000_000, **numbers}


def _timeframe(k: int, record: Record) -> dict[str, Any]:
    closed = bool(int(record.decision["closed"]) >> k & 1)
    if record.detail is None:
        return {"closed": closed}
    view = record.detail["timeframes"][k]
    return {
        "closed": closed,
        "side": words(Side(int(view["side"]))),
        "regime": words(Regime(int(view["regime"]))),
        "score": number(view["score"]),
        "confidence": number(view["confidence"]),
    }


def _vote(k: int, name: str, record: Record) -> dict[str, Any]:
    vote = record.detail["votes"][k] if record.detail is not None else None
    return {
        "strategy": name,
        "score": number(vote["score"]) if vote is not None else None,
        "confidence": number(vote["confidence"]) if vote is not None else None,
        "abstained": words(Abstain(int(record.decision["abstain"][k]))),
    }


def _gates(detail: np.void | None) -> list[dict[str, Any]]:
    if detail is None:
        return []
    return [
        {
            "name": words(gate),
            "value": number(detail["gates"][gate]["value"]),
            "limit": number(detail["gates"][gate]["limit"]),
            "verdict": words(Verdict(int(detail["gates"][gate]["verdict"]))),
        }
        for gate in Gate
    ]


def _sized(detail: np.void | None) -> dict[str, float | None]:
    if detail is None:
        return {}
    return {name: number(detail["sized"][name]) for name in SIZED.names or ()}


def _features(detail: np.void | None) -> dict[str, float | None]:
    if detail is None:
        return {}
    return {name: number(detail["features"][k]) for k, name in enumerate(FEATURE_NAMES)}
