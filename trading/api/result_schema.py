"""What a run's result holds, with units, as the published schema tells it: the report's own words."""

from typing import Any

from trading.backtest.declared import METRICS

NUMBER = {"type": ["number", "null"]}
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


def _told(words: str, **kind: Any) -> dict[str, Any]:
    return {**(kind or NUMBER), "description": words}


MEASURED = {
    one.name: _told(f"{one.label}: {one.definition}. Unit: {one.unit}; shares are of 1")
    for one in METRICS
}
VERDICT = {
    "type": "object",
    "description": "what came out, and whether luck explains it, before any number",
    "properties": {
        "level": _told(
            "how much speaks for it", enum=["unknown", "against", "none", "some", "strong"]
        ),
        "headline": _told("in a sentence or two", type="string"),
        "sentences": _told("what to read beside it", type="array", items={"type": "string"}),
    },
}
RESULT = {
    "type": "object",
    "description": "Facts of a run. Of a backtest those below; of the other kinds what they have of "
    "them, and their own beside. What is not told here is told on the report.",
    "properties": {
        "verdict": VERDICT,
        "currency": _told("in which money is counted", type="string"),
        "days": _told("from the first bar to the last"),
        "start_equity": _told("cash at the start"),
        "end_equity": _told("money and positions at the end"),
        **{name: MEASURED[name] for name in ("return", "max_drawdown", "win_rate", "fees")},
        "entries": _told("positions that were opened", type="integer"),
        "closed_trades": _told("round trips from flat to flat", type="integer"),
        "open_positions": _told("held at the end", type="integer"),
        "decisions": _told("how many bars ended for each reason", **COUNTS),
        "exits": _told("how many positions ended for each reason", **COUNTS),
        "metrics": {
            "type": "object",
            "description": "every metric of the report; null: it cannot be told",
            "properties": MEASURED,
        },
    },
    "additionalProperties": True,
}
