"""What each gate asks, and the smallest change that would have let a refused candidate pass it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum
from math import isclose
from typing import Any

from trading.core.codes import Gate

STORED = (
    1.2e-7  # a record keeps a gate's numbers as 32-bit floats: the true one lies within this share
)
FINE = 4  # decimals of a proposed setting


class Must(Enum):
    """How a gate compares its value with its limit."""

    REACH = "at least"
    STAY_WITHIN = "at most"
    STAY_BELOW = "below"
    BE_GONE = "none"
    FIT = "fits"


class Unit(Enum):
    """What a gate's two numbers count."""

    SCORE = "score"
    COUNT = "count"
    SHARE = "share"
    BARS = "bars"
    PRICE = "price"
    MONEY = "money"
    LOTS = "lots"
    HOUR = "UTC hour"


@dataclass(frozen=True, slots=True)
class Rule:
    """One gate in words.

    Args:
        settings: parameters of which the largest is the limit.
        scales_value, scales_limit: a parameter the value, or the limit, is in proportion to.
        otherwise: what else would do, or why no setting does.
    """

    asks: str
    must: Must
    unit: Unit
    settings: tuple[str, ...] = ()
    scales_value: str = ""
    scales_limit: str = ""
    otherwise: str = ""


RULES: dict[Gate, Rule] = {
    Gate.CANDIDATE: Rule("more votes for one side than for the other", Must.REACH, Unit.COUNT,
                         otherwise="One more strategy on one side would have made a candidate."),
    Gate.AGREEMENT: Rule("timeframes on the candidate's side", Must.REACH, Unit.COUNT,
                         ("timeframes.min_agreement",)),
    Gate.SCORE: Rule("weighted strength of the agreeing votes", Must.REACH, Unit.SCORE,
                     ("confluence.min_score",)),
    Gate.PROBABILITY: Rule("the model's chance of a gain", Must.REACH, Unit.SCORE,
                           ("model.min_probability",)),
    Gate.CONFIDENCE: Rule("confidence after bonus and penalty", Must.REACH, Unit.SCORE,
                          ("confluence.min_confidence", "model.fallback_confidence")),
    Gate.VOTES: Rule("agreeing votes, or one that is sure enough alone", Must.REACH, Unit.COUNT,
                     otherwise="Or a single strategy as sure as confluence.solo_confidence asks."),
    Gate.SIDE_ALLOWED: Rule("a side this account may trade", Must.FIT, Unit.COUNT,
                            otherwise="An account that can sell short, with risk.allow_short at 1."),
    Gate.HOLDS: Rule("no hold on entries", Must.BE_GONE, Unit.COUNT,
                     otherwise="Lifting the hold; the dashboard tells what lifts it."),
    Gate.DATA_GAP: Rule("bars to wait after missing data", Must.BE_GONE, Unit.BARS),
    Gate.QUIET_HOURS: Rule("an hour outside the quiet hours", Must.FIT, Unit.HOUR,
                           otherwise="The same setup outside risk.quiet_from to risk.quiet_to."),
    Gate.COOLDOWN: Rule("bars to wait after the last exit", Must.BE_GONE, Unit.BARS),
    Gate.ACCOUNT_COOLDOWN: Rule("bars the account waits after a loss", Must.BE_GONE, Unit.BARS),
    Gate.STRATEGY_COOLDOWN: Rule("bars the strategy waits after its entry", Must.BE_GONE, Unit.BARS),
    Gate.OPEN_POSITIONS: Rule("positions and working entries of the account", Must.STAY_BELOW,
                              Unit.COUNT, ("risk.max_open_positions",)),
    Gate.GROUP_POSITIONS: Rule("positions of markets that move alike", Must.STAY_BELOW, Unit.COUNT,
                               ("risk.max_group_positions",)),
    Gate.HOURLY_TRADES: Rule("entries in the last 60 minutes", Must.STAY_BELOW, Unit.COUNT,
                             ("risk.max_hourly_trades",)),
    Gate.DAILY_TRADES: Rule("entries of the UTC day", Must.STAY_BELOW, Unit.COUNT,
                            ("risk.max_daily_trades",)),
    Gate.DAILY_LOSS: Rule("loss of the day's first equity", Must.STAY_BELOW, Unit.SHARE,
                          ("risk.max_daily_loss",)),
    Gate.DRAWDOWN: Rule("fall from the highest equity", Must.STAY_BELOW, Unit.SHARE,
                        ("risk.max_drawdown",)),
    Gate.SPREAD: Rule("spread over the middle price", Must.STAY_WITHIN, Unit.SHARE,
                      otherwise="The limit is the lower of risk.max_spread and "
                      "risk.max_spread_to_atr times the ATR."),
    Gate.REWARD: Rule("distance to the target, against costs and risk", Must.REACH, Unit.PRICE,
                      scales_value="exits.target_scale"),
    Gate.STOP_DISTANCE: Rule("distance to the stop", Must.STAY_WITHIN, Unit.PRICE,
                             scales_limit="risk.max_stop"),
    Gate.EXPOSURE: Rule("notional of open positions", Must.STAY_BELOW, Unit.MONEY,
                        scales_limit="sizing.max_exposure"),
    Gate.LIQUIDITY: Rule("lots the market takes", Must.REACH, Unit.LOTS),
    Gate.MINIMUM: Rule("lots the risk allows", Must.REACH, Unit.LOTS),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter as it was, and the nearest value that would have passed."""

    name: str
    now: float
    then: float


@dataclass(frozen=True, slots=True)
class Change:
    """How far a candidate missed a gate, and the settings that together would have let it through.

    Args:
        missing: how much more or less the value should have been; None where that is no amount.
    """

    missing: float | None
    settings: tuple[Setting, ...] = ()
    otherwise: str = ""


def smallest_change(
    gate: Gate, *, value: float, limit: float, params: Mapping[str, Any], bounds: Mapping[str, Any]
) -> Change:
    """What would have let a refused candidate pass this gate; later gates may still refuse it.

    Args:
        params: of the revision that decided, nested as stored.
        bounds: of every parameter by dotted name, with ``low`` and ``high``.
    """
    rule = RULES[gate]
    if rule.must is Must.FIT or gate is Gate.HOLDS:
        return Change(None, otherwise=rule.otherwise)
    missing = value if rule.must is Must.BE_GONE else abs(limit - value)
    settings = tuple(_settings(rule, value, limit, params))
    if any(not bounds[s.name]["low"] <= s.then <= bounds[s.name]["high"] for s in settings):
        settings = ()
    return Change(missing, settings, rule.otherwise)


def look_up(params: Mapping[str, Any], name: str) -> Any:
    """A parameter's value by its dotted name."""
    found: Any = params
    for part in name.split("."):
        found = found[part]
    return found


def _settings(
    rule: Rule, value: float, limit: float, params: Mapping[str, Any]
) -> Iterator[Setting]:
    scaled = rule.scales_value or rule.scales_limit
    if scaled and value > 0.0 and limit > 0.0:
        share = limit / value if rule.scales_value else value / limit
        now = look_up(params, scaled)
        yield Setting(scaled, now, _round(now * share * (1.0 + 2.0 * STORED), ROUND_CEILING))
    present = {name: look_up(params, name) for name in rule.settings}
    if not present or not isclose(max(present.values()), limit, rel_tol=STORED, abs_tol=1e-12):
        return  # something else set the limit of this bar
    then = _passing(rule, value)
    for name, now in present.items():
        if rule.must is Must.STAY_BELOW or now > then:
            yield Setting(name, now, then)


def _passing(rule: Rule, value: float) -> float:
    """The limit nearest to the value that lets it pass."""
    below = rule.must is Must.STAY_BELOW
    if rule.unit is Unit.COUNT:
        return value + 1.0 if below else value
    if below:
        return _round(value * (1.0 + STORED), ROUND_CEILING)
    return _round(value * (1.0 - STORED), ROUND_FLOOR)


def _round(value: float, how: str) -> float:
    return float(Decimal(value).quantize(Decimal(1).scaleb(-FINE), rounding=how))
