"""IntEnums shared by kernels, rows and pages: Side, Regime, Stage, Reason, Purpose, ExitReason."""

from enum import IntEnum


class Side(IntEnum):
    """Side of an order; also the sign of a position."""

    SELL = -1
    NONE = 0
    BUY = 1


class Regime(IntEnum):
    """Trend regime of a market (ADX against its threshold)."""

    UNKNOWN = 0
    TREND = 1
    RANGE = 2


class Volatility(IntEnum):
    """Volatility of a market beside its own recent past."""

    UNKNOWN = 0
    LOW = 1
    MID = 2
    HIGH = 3


class Stage(IntEnum):
    """Where a decision ended: the first gate that said no, or ENTRY when none did."""

    WARMUP = 0
    HOLDING = 1
    VOTES = 2
    CONFLUENCE = 3
    RISK = 4
    SIZING = 5
    ENTRY = 6
    WAITING = 7
    MODEL = 8


class Gate(IntEnum):
    """Gates in the order a candidate meets them; each leaves value, limit and verdict."""

    CANDIDATE = 0
    AGREEMENT = 1
    SCORE = 2
    PROBABILITY = 3
    CONFIDENCE = 4
    VOTES = 5
    SIDE_ALLOWED = 6
    HOLDS = 7
    DATA_GAP = 8
    QUIET_HOURS = 9
    COOLDOWN = 10
    ACCOUNT_COOLDOWN = 11
    STRATEGY_COOLDOWN = 12
    OPEN_POSITIONS = 13
    GROUP_POSITIONS = 14
    HOURLY_TRADES = 15
    DAILY_TRADES = 16
    DAILY_LOSS = 17
    DRAWDOWN = 18
    SPREAD = 19
    REWARD = 20
    STOP_DISTANCE = 21
    EXPOSURE = 22
    LIQUIDITY = 23
    MINIMUM = 24


class Verdict(IntEnum):
    """What a gate said; a gate after the first no is not asked."""

    NOT_ASKED = 0
    PASSED = 1
    REFUSED = 2
    ABSENT = 3  # its input is missing; it neither passes nor refuses


class Reason(IntEnum):
    """Why a decision did not become an entry; one code per gate, NONE when all passed."""

    NONE = 0
    WARMING_UP = 1
    POSITION_OPEN = 2
    ORDER_PENDING = 3
    NO_VOTE = 4
    VOTES_TIED = 5
    SCORE_TOO_LOW = 6
    CONFIDENCE_TOO_LOW = 7
    TOO_FEW_VOTES = 8
    SHORT_NOT_ALLOWED = 9
    HELD = 10
    AFTER_DATA_GAP = 11
    COOLING_DOWN = 12
    TOO_MANY_POSITIONS = 13
    DAILY_LOSS_REACHED = 14
    DRAWDOWN_REACHED = 15
    REWARD_BELOW_COSTS = 16
    STOP_OUT_OF_BOUNDS = 17
    EXPOSURE_FULL = 18
    BELOW_MINIMUM = 19
    BETWEEN_BARS = 20
    TIMEFRAMES_DISAGREE = 21
    MODEL_REFUSED = 22
    QUIET_HOUR = 23
    ACCOUNT_COOLING_DOWN = 24
    STRATEGY_COOLING_DOWN = 25
    GROUP_FULL = 26
    TOO_MANY_TRADES_THIS_HOUR = 27
    TOO_MANY_TRADES_TODAY = 28
    SPREAD_TOO_WIDE = 29
    TOO_LITTLE_LIQUIDITY = 30


class Abstain(IntEnum):
    """Why a strategy has no vote; absent is not zero."""

    VOTED = 0
    WARMING_UP = 1
    NO_SETUP = 2
    NO_VOLUME = 3
    DISABLED = 4
    NO_INPUT = 5


class Purpose(IntEnum):
    """What an intent is for."""

    ENTRY = 1
    PROTECT = 2
    MOVE_STOP = 3
    EXIT = 4
    REDUCE = 5


class ExitReason(IntEnum):
    """Why a position ended."""

    NONE = 0
    STOP = 1
    BREAK_EVEN = 2
    TRAILING_STOP = 3
    TARGET = 4
    TIME = 5
    OPERATOR = 6
    TIER = 7
    STAGNATION = 8
    DUST = 9  # too little was bought to be sold again


class HoldBit(IntEnum):
    """Bits of ``ACCOUNT.holds``: reasons from outside not to enter."""

    OPERATOR = 1
    BREAKER = 2
    BILLING = 4
    DATA = 8
    RISK = 16


class Liquidity(IntEnum):
    """Which fee a fill paid."""

    TAKER = 0
    MAKER = 1
