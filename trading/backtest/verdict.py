"""The headline: what came out, and whether luck explains it, before any number is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trading.backtest import evidence

LUCK = 0.05  # a result that luck gives more often proves nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """``level``: unknown, against, none, some or strong."""

    level: str
    headline: str
    sentences: tuple[str, ...]


def judge(facts: Mapping[str, Any]) -> Verdict:
    """In plain words, from metrics, baselines and evidence."""
    level, judgement = _judge(facts)
    sentences = [*_beside_holding(facts), *_fees(facts), *_evidence(facts)]
    return Verdict(level, f"{_outcome(facts)} {judgement}", tuple(sentences))


def _judge(facts: Mapping[str, Any]) -> tuple[str, str]:
    trades, days = facts["closed_trades"], facts["days"]
    if trades == 0:
        return "unknown", "There is no trade to judge."
    if trades < evidence.LEAST_TRADES:
        least = f"{evidence.LEAST_TRADES} trades"
        return "unknown", f"That is too little to judge; {least} are the least."
    if days < evidence.LEAST_DAYS:
        return "unknown", f"That is too short to judge; {evidence.LEAST_DAYS} days are the least."
    if facts["return"] <= 0:
        return "against", "Nothing here speaks for trading it."
    found = facts["evidence"]
    return_p = found["random_entries"]["return_p"]
    deflated = found["deflated_sharpe"]
    sure = (deflated or found["probabilistic_sharpe"])["probability"]
    beats_random = return_p is not None and return_p <= LUCK
    beats_nothing = sure is not None and sure >= 1 - LUCK
    if beats_random and beats_nothing:
        picked = "." if deflated else ", if it was not picked from many tries."
        return "strong", f"Luck alone hardly explains it{picked}"
    if beats_random or beats_nothing:
        return "some", "One of two tests for luck is passed: a hint, not a proof."
    return "none", "Luck explains it as well as skill does."


def _outcome(facts: Mapping[str, Any]) -> str:
    trades, days = facts["closed_trades"], facts["days"]
    span = _span(days)
    earned = facts["return"]
    if trades == 0 and facts["open_positions"] == 0:
        return f"Never traded in {span}."
    did = "Gained" if earned > 0 else "Lost"
    count = "1 trade" if trades == 1 else f"{trades:,} trades"
    return f"{did} {abs(earned):.1%} in {span} with {count}."


def _span(days: float) -> str:
    for count, unit in ((days, "days"), (days * 24, "hours")):
        if count >= 2:
            return f"{count:,.0f} {unit}"
    return f"{days * 1440:,.0f} minutes"


def _beside_holding(facts: Mapping[str, Any]) -> list[str]:
    told = []
    for symbol, hold in facts["buy_and_hold"].items():
        did = "gained" if hold["return"] > 0 else "lost"
        told.append(
            f"Buying and holding {symbol} {did} {abs(hold['return']):.1%} and fell by "
            f"{hold['max_drawdown']:.1%} on the way; this fell by {facts['max_drawdown']:.1%}."
        )
    return told


def _fees(facts: Mapping[str, Any]) -> list[str]:
    if facts["fees"] <= 0:
        return []
    before = facts["end_equity"] - facts["start_equity"] + facts["fees"]
    did = "earned" if before > 0 else "lost"
    money = facts["currency"]
    return [
        f"Before fees it {did} {abs(before):,.2f} {money}; fees took {facts['fees']:,.2f} {money}."
    ]


def _evidence(facts: Mapping[str, Any]) -> list[str]:
    found = facts["evidence"]
    if facts["closed_trades"] < evidence.LEAST_TRADES:
        return []
    names = ["random_entries"]
    if facts["days"] >= evidence.LEAST_DAYS:
        sharpe = "deflated_sharpe" if found["deflated_sharpe"] else "probabilistic_sharpe"
        names += [sharpe, "drawdowns"]
    return [found[name]["words"] for name in names]
