"""Record dtypes that cross stages: BAR, INTENT, FILL, DECISION and the state they move.

Units: ``*_ns`` nanoseconds UTC, ``*_ticks`` multiples of the tick size, ``*_lots`` multiples of
the lot size, ``*_units`` multiples of 1e-8 of the quote currency, prices and money in quote
currency as float64. A bar is known by the time it opened and used only after it closed.
"""

import numpy as np

from trading.core.codes import Gate
from trading.core.config.features import N_FEATURES

FEE_UNITS_PER_QUOTE = 100_000_000
MAX_INTENTS = 4
MAX_FILLS = 2

BAR = np.dtype(
    [
        ("open_ns", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("volume", "f8"),
    ]
)

INTENT = np.dtype(
    [
        ("seq", "i8"),  # 1, 2, 3 … per market; the client order id is derived from it
        ("at_ns", "i8"),  # event time of the decision
        ("purpose", "i8"),  # codes.Purpose
        ("side", "i8"),  # codes.Side of the order
        ("quantity_lots", "i8"),
        ("price_ticks", "i8"),  # stop trigger of PROTECT and MOVE_STOP, limit of ENTRY, 0: market
        ("replaces_seq", "i8"),  # resting stop this one replaces (MOVE_STOP, EXIT), else 0
        ("reason", "i8"),  # codes.ExitReason this order would end the position with
        ("expires_ns", "i8"),  # a limit is cancelled from this time on, 0: never
    ]
)

FILL = np.dtype(
    [
        ("intent_seq", "i8"),
        ("time_ns", "i8"),
        ("purpose", "i8"),
        ("side", "i8"),
        ("quantity_lots", "i8"),  # 0 with final = 1: the order ended without a (further) fill
        ("price_ticks", "i8"),
        ("fee_units", "i8"),
        ("liquidity", "i8"),
        ("reason", "i8"),
        ("final", "i8"),  # 1: nothing of this order is left working
    ]
)

VOTE = np.dtype(
    [
        ("score", "f8"),  # -1 … +1: direction x strength
        ("confidence", "f8"),  # 0 … 1
        ("stop_distance", "f8"),  # quote currency, > 0, or NaN: none proposed
        ("target_distance", "f8"),  # idem
        ("abstain", "i1"),  # codes.Abstain
    ]
)

NOW = np.dtype(  # what all strategies of one timeframe share; NaN: absent or warming up
    [
        ("atr", "f8"),  # Wilder, 14 bars
        ("adx", "f8"),
        ("rsi", "f8"),
        ("volume_ratio", "f8"),  # volume over the mean of the 20 bars before
        ("usual_volume", "f8"),  # that mean, this bar included, in base units
        ("ema_fast", "f8"),  # 12 bars
        ("ema_slow", "f8"),  # 26 bars
        ("momentum", "f8"),  # close over the close 10 bars ago, minus 1
        ("choppiness", "f8"),  # 14 bars, 0 … 100
        ("volatility_rank", "f8"),  # share of the last 100 volatilities below this one, 0 … 1
        ("regime", "i8"),  # codes.Regime
        ("volatility", "i8"),  # codes.Volatility
        ("imbalance", "f8"),  # (bids - asks) / (bids + asks) of the top levels, -1 … 1
        ("book_score", "f8"),  # -1 … 1
        ("spread", "f8"),  # over mid
        ("depth", "f8"),  # quote currency, both sides
        ("whale_bias", "f8"),  # -1 … 1
        ("funding_rate", "f8"),  # fraction of notional per 8 hours
    ]
)

GATE = np.dtype([("value", "f4"), ("limit", "f4"), ("verdict", "i1")])
TOLD_VOTE = np.dtype(  # a vote as a decision keeps it
    [
        ("score", "f4"),
        ("confidence", "f4"),
        ("stop_distance", "f4"),
        ("target_distance", "f4"),
        ("abstain", "i1"),
    ]
)

OPINION = np.dtype(  # what the votes of one timeframe's last closed bar make together
    [
        ("side", "i8"),  # 0: nobody, or a tie
        ("longs", "i8"),
        ("shorts", "i8"),
        ("score", "f8"),
        ("confidence", "f8"),
        ("strategy", "i8"),  # the strongest agreeing vote, -1: none
        ("stop_distance", "f8"),
        ("target_distance", "f8"),
    ]
)

POSITION = np.dtype(
    [
        ("quantity_lots", "i8"),  # signed: > 0 long, < 0 short, 0 flat
        ("entry_price", "f8"),  # average of the entry's fills
        ("entry_ns", "i8"),
        ("entry_fees", "f8"),  # quote currency paid so far on this position
        ("stop_ticks", "i8"),
        ("stop_seq", "i8"),  # resting stop order, 0: none
        ("stop_reason", "i8"),  # codes.ExitReason a touch of the stop would mean now
        ("protect_after_ns", "i8"),  # a stop that was lost or refused is asked for again then
        ("stop_failures", "i8"),  # stops in a row that were refused or lost
        ("exit_after_ns", "i8"),  # an exit that did not sell is asked for again then
        ("exit_failures", "i8"),  # exits in a row that did not sell
        ("initial_risk", "f8"),  # |entry - first stop|, quote currency per unit
        ("risked", "f8"),  # the same for the whole position, costs not included
        ("target", "f8"),  # price, NaN: none
        ("best_price", "f8"),  # highest high (long) or lowest low (short) since entry
        ("tier", "i8"),  # partial exits done
        ("entry_seq", "i8"),  # working entry order, 0: none
        ("exit_seq", "i8"),  # working exit or reducing order, 0: none
        ("exit_requested", "i8"),  # codes.ExitReason asked for from outside, 0: none
        ("planned_stop_distance", "f8"),
        ("planned_target_distance", "f8"),
        ("strategy", "i8"),  # credited with the outcome, -1: none
        ("regime", "i8"),  # codes.Regime at the decision
        ("volatility", "i8"),  # codes.Volatility at the decision
        ("decided_ns", "i8"),
        ("limits", "i8"),  # limits asked for, one after another, of the planned entry
        (
            "chase_side",
            "i8",
        ),  # codes.Side of an entry to ask for again if its limit gets nothing, or 0
        ("features", "f8", (N_FEATURES,)),
        ("realized", "f8"),  # quote currency of this position, fees included, until flat
    ]
)

OUTCOMES = 100  # closed trades an account remembers
ENTRIES = 64  # entries an account remembers

ACCOUNT = np.dtype(
    [
        ("cash", "f8"),
        ("marked", "f8"),  # signed value of open positions at their last close
        ("exposure", "f8"),  # absolute value of open positions and working entries
        ("equity", "f8"),
        ("peak_equity", "f8"),
        ("day", "i8"),  # UTC days since the epoch
        ("day_start_equity", "f8"),
        ("open_positions", "i8"),  # positions plus working entries
        ("holds", "i8"),  # bits of codes.HoldBit, set from outside
        ("realized", "f8"),
        ("fees", "f8"),
        ("entries", "i8"),
        ("exits", "i8"),
        ("entries_today", "i8"),
        ("streak", "i8"),  # wins (> 0) or losses (< 0) in a row
        ("cooldown_until_ns", "i8"),
        ("outcomes", "f8", (OUTCOMES,)),  # in R, the newest overwrites the oldest
        ("entered_ns", "i8", (ENTRIES,)),  # idem
    ]
)

N_GATES = len(Gate)
TIMEFRAMES = 3

USED_BOOK = np.dtype(  # the order book a decision knew, as far as it was fresh
    [
        ("time_ns", "i8"),  # 0: none, and all else NaN
        ("imbalance", "f8"),
        ("book_score", "f8"),
        ("spread", "f8"),
        ("depth", "f8"),
        ("whale_bias", "f8"),
    ]
)
TIMEFRAME_VIEW = np.dtype([("side", "i1"), ("regime", "i1"), ("score", "f4"), ("confidence", "f4")])
SIZED = np.dtype(  # what the risk of a trade was multiplied by, 1: nothing changed
    [
        ("kelly", "f4"),
        ("drawdown", "f4"),
        ("streak", "f4"),
        ("volatility", "f4"),
        ("spread", "f4"),
        ("correlation", "f4"),
        ("ruin", "f4"),
    ]
)


def decision_dtype(strategies: int) -> np.dtype:
    """DECISION for a number of strategies: one record for every evaluated bar, also for a no."""
    return np.dtype(
        [
            ("bar_open_ns", "i8"),
            ("close", "f8"),
            ("equity", "f8"),
            ("quantity_lots", "i8"),
            ("stop_distance", "f8"),
            ("target_distance", "f8"),
            ("intent_seq", "i8"),  # entry intent, 0: none
            ("position_lots", "i8"),  # position after this bar's management
            ("stop_ticks", "i8"),  # its stop
            ("atr", "f8"),
            ("score", "f8"),
            ("confidence", "f8"),
            ("probability", "f8"),  # of the model, NaN: none
            ("book", USED_BOOK),
            ("adx", "f4"),
            ("rsi", "f4"),
            ("volume_ratio", "f4"),
            ("choppiness", "f4"),
            ("volatility_rank", "f4"),
            ("stage", "i1"),  # codes.Stage
            ("reason", "i1"),  # codes.Reason
            ("regime", "i1"),  # codes.Regime of the deciding timeframe
            ("volatility", "i1"),  # codes.Volatility, idem
            ("side", "i1"),  # candidate's side, 0: none
            ("agreeing", "i1"),
            ("opposing", "i1"),
            ("strategy", "i1"),  # the strongest agreeing vote, -1: none
            ("closed", "i1"),  # bit k: timeframe k closed a bar
            ("has_detail", "i1"),  # 1: a DETAIL belongs to it
            ("chase", "i1"),  # limits of the same entry that got nothing before
            ("abstain", "i1", (strategies,)),  # codes.Abstain in the order of STRATEGY_NAMES
        ]
    )


def detail_dtype(strategies: int) -> np.dtype:
    """DETAIL: what only bars with a vote on the deciding timeframe have to tell."""
    return np.dtype(
        [
            ("votes", TOLD_VOTE, (strategies,)),
            ("timeframes", TIMEFRAME_VIEW, (TIMEFRAMES,)),
            ("features", "f4", (N_FEATURES,)),
            ("sized", SIZED),
            ("gates", GATE, (N_GATES,)),
        ]
    )
