"""The records of one market and of the account it trades on, and how they begin."""

import numpy as np

from trading.core import adaptive, book, gate, risk
from trading.core import strategies as all_strategies
from trading.core.config.pipeline import PipelineParams
from trading.core.params import record_dtype, to_record
from trading.core.records import ACCOUNT, POSITION, TIMEFRAMES, decision_dtype, detail_dtype
from trading.core.timeframes import TIMEFRAME

INSTRUMENT = np.dtype(
    [
        ("tick_size", "f8"),
        ("lot_size", "f8"),
        ("min_quantity_lots", "i8"),
        ("min_notional", "f8"),
        ("timeframe_ns", "i8"),
        ("group", "i8"),  # of markets that move alike, 0: none
    ]
)
INPUTS = np.dtype(  # news beside the bars as of this bar, NaN: absent or too old
    [
        ("imbalance", "f8"),
        ("book_score", "f8"),
        ("spread", "f8"),
        ("depth", "f8"),
        ("whale_bias", "f8"),
        ("funding_rate", "f8"),
    ]
)
MARKET = np.dtype(
    [
        ("instrument", INSTRUMENT),
        ("intent_seq", "i8"),
        ("last_open_ns", "i8"),
        ("last_close", "f8"),
        ("bars_seen", "i8"),
        ("gap_pause", "i8"),  # bars without entries left after a gap in the data
        ("cooldown", "i8"),  # bars without entries left after an exit
        ("marked", "f8"),  # this position's share of ACCOUNT.marked
        ("reserved", "f8"),  # this market's share of ACCOUNT.exposure
        ("position", POSITION),
        ("inputs", INPUTS),
        ("book", book.BOOK),
        ("funding_ns", "i8"),  # when the funding rate was told, 0: never
        ("funding_rate", "f8"),
        ("history", risk.HISTORY),
        ("learning", adaptive.LEARNING),
        ("frames", TIMEFRAME, (TIMEFRAMES,)),
    ]
)
PARAMS = np.dtype([*record_dtype(PipelineParams).descr, ("network", gate.MODEL)])
DECISION = decision_dtype(all_strategies.N)
DETAIL = detail_dtype(all_strategies.N)


def new_params(params: PipelineParams, model: np.ndarray | None = None) -> np.ndarray:
    """The read-only PARAMS record of one revision, with the model that gates it, if any."""
    record = np.zeros(1, PARAMS)
    plain = to_record(params)
    for name in plain.dtype.names or ():
        record[name] = plain[name]
    if model is not None:
        record["network"] = model
    return record


def new_markets(count: int) -> np.ndarray:
    """Fresh MARKET records; the instrument's grid is the caller's to fill in."""
    markets = np.zeros(count, MARKET)
    markets["position"]["target"] = np.nan
    markets["position"]["strategy"] = -1
    markets["frames"]["opinion"]["strategy"] = -1
    for name in INPUTS.names or ():
        markets["inputs"][name] = np.nan
    adaptive.begin(markets["learning"])
    return markets


def new_account(cash: float) -> np.ndarray:
    """An ACCOUNT record that holds cash only."""
    account = np.zeros(1, ACCOUNT)
    for name in ("cash", "equity", "peak_equity", "day_start_equity"):
        account[name] = cash
    return account
