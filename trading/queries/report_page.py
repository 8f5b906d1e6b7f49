"""A backtest's facts -> what its page shows: numbers as text, rows as tables; pure, no database."""

from collections.abc import Mapping
from typing import Any

from trading.backtest.declared import BY_NAME, METRICS, Metric
from trading.queries import report_tables as tables
from trading.queries.report_tables import share, signed_money, signed_share, tone

MOST_TRADES = 300
Facts = Mapping[str, Any]

LEVELS = {
    "unknown": "Too little to judge",
    "against": "Speaks against it",
    "none": "Luck explains it",
    "some": "A hint",
    "strong": "Hard to explain by luck",
}


def page(facts: Facts, charts: Mapping[str, Any]) -> dict[str, Any]:
    """The context of ``trading/report/_body.html``, under the name ``report``."""
    money = facts["currency"]
    hours = {row["key"]: row["profit"] for row in facts["breakdowns"]["hour"]}
    return {
        "title": " · ".join(market["symbol"] for market in facts["markets"]),
        "subtitle": _subtitle(facts),
        "currency": money,
        "verdict": {**facts["verdict"], "badge": LEVELS[facts["verdict"]["level"]]},
        "tiles": _tiles(facts),
        "groups": _groups(facts),
        "months": tables.heat_map(facts["monthly_returns"]),
        "splits": tables.splits(facts["breakdowns"]),
        "evidence": _evidence(facts["evidence"]),
        "random": tables.random_strip(facts["baselines"]["random_entries"]),
        "assumptions": facts["assumptions"],
        "markets": [{**m, "bars_text": f"{m['bars']:,}"} for m in facts["markets"]],
        "decisions": [
            (reason, f"{count:,}")
            for reason, count in sorted(facts["decisions"].items(), key=lambda item: -item[1])
        ],
        "hashes": [("core", facts["core_sha256"]), ("parameters", facts["params_sha256"])],
        "params": tables.flatten(facts["params"]),
        "seed": facts["seed"],
        "cash": f"{facts['start_equity']:,.2f} {money}",
        "trades": [tables.trade(one) for one in facts["trades"][:MOST_TRADES]],
        "trade_count": len(facts["trades"]),
        "data": {
            **charts,
            "currency": money,
            "hours": [round(hours.get(f"{hour:02}", 0.0), 2) for hour in range(24)],
        },
    }


def _subtitle(facts: Facts) -> str:
    markets = facts["markets"]
    venues = ", ".join(dict.fromkeys(market["venue"] for market in markets))
    first = min(market["first_at"] for market in markets)[:10]
    last = max(market["last_at"] for market in markets)[:10]
    bars = sum(market["bars"] for market in markets)
    return f"{facts['timeframe']} bars of {venues}, {first} to {last}, {bars:,} bars"


def _tiles(facts: Facts) -> list[dict[str, str]]:
    measured, money = facts["metrics"], facts["currency"]
    hold = facts["buy_and_hold"]
    held = sum(one["return"] for one in hold.values()) / len(hold)
    interval = facts["evidence"]["sharpe_interval"]
    doubt = (
        "needs 60 days"
        if interval["low"] is None
        else (f"9 of 10: {tables.number(interval['low'])} to {tables.number(interval['high'])}")
    )
    hold_note = "same costs" if len(hold) == 1 else f"{len(hold)} pairs in equal parts"
    rows = (
        ("Return", signed_share(measured["return"]), f"{signed_money(measured['net_profit'])} {money}",
         measured["return"]),
        ("Buy and hold", signed_share(held), hold_note, held),
        ("Largest drawdown", share(measured["max_drawdown"]),
         f"longest {measured['longest_drawdown_days']:,.1f} days", None),
        ("Sharpe", show(BY_NAME["sharpe"], measured["sharpe"]), doubt, None),
        ("Trades", f"{measured['trades']:,}", f"{facts['open_positions']} open at the end", None),
        ("Won", share(measured["win_rate"]),
         f"profit factor {show(BY_NAME['profit_factor'], measured['profit_factor'])}", None),
        ("Expectancy", show(BY_NAME["expectancy"], measured["expectancy"]),
         f"{money} a trade, {show(BY_NAME['expectancy_r'], measured['expectancy_r'])}",
         measured["expectancy"]),
        ("Fees", f"{measured['fees']:,.2f}", f"{money}, {share(measured['fees'] / facts['start_equity'])}"
         " of the start", None),
    )  # fmt: skip
    return [
        {"label": label, "value": value, "note": note, "tone": tone(number)}
        for label, value, note, number in rows
    ]


def _groups(facts: Facts) -> list[dict[str, Any]]:
    measured = facts["metrics"]
    names = dict.fromkeys(metric.group for metric in METRICS)
    return [
        {
            "name": name,
            "rows": [
                {"label": m.label, "value": show(m, measured[m.name]), "help": m.definition}
                for m in METRICS
                if m.group == name
            ],
        }
        for name in names
    ]


def show(metric: Metric, value: float | None) -> str:
    """A metric's value in its unit; a dash where it is not defined."""
    if value is None:
        return "–"
    match metric.unit:
        case "share":
            return f"{value:.2%}".replace("-", "−")
        case "money":
            return signed_money(value) if metric.name != "fees" else f"{value:,.2f}"
        case "R":
            return f"{value:+.2f} R".replace("-", "−")
        case "count":
            return f"{value:,.0f}"
        case "days" | "hours":
            return f"{value:,.1f} {metric.unit}"
        case "times a year":
            return f"{value:,.1f} × a year"
    return f"{value:,.2f}".replace("-", "−")


def _evidence(found: Facts) -> list[dict[str, Any]]:
    sharpe = found["deflated_sharpe"] or found["probabilistic_sharpe"]
    sure = sharpe["probability"]
    return [
        _card("Random entries", found["random_entries"]["words"], found["random_entries"]["return_p"]),
        _card("Sharpe ratio", sharpe["words"], None if sure is None else 1 - sure),
        _card("Tries it survives", _survived(found["trials_survived"])),
        _card("Length of the record", found["minimum_track_record"]["words"]),
        _card("How sure the numbers are", _resampled(found)),
        _card("Drawdowns that could have been", found["drawdowns"]["words"]),
    ]  # fmt: skip


def _resampled(found: Facts) -> str:
    sharpe, yearly = found["sharpe_interval"], found["yearly_return_interval"]
    same = yearly["words"] == sharpe["words"]  # both say that the days are too few
    return sharpe["words"] if same else f"{yearly['words']} {sharpe['words']}"


def _card(title: str, words: str, luck: float | None = None) -> dict[str, Any]:
    """``luck``: how often luck does as well, drawn as a bar."""
    shown = None if luck is None else f"{luck:.1%}"
    return {"title": title, "words": words, "luck": shown, "bar": round(100 * (luck or 0), 1)}


def _survived(trials: int | None) -> str:
    if trials is None:
        return "Not enough days to say."
    if trials == 0:
        return "It does not stand with 95% confidence even as the only variant ever tried."
    if trials >= 1_000_000:
        return "It stands with 95% confidence even as the best of a million independent tries."
    word = "try" if trials == 1 else "independent tries"
    return (
        f"It stands with 95% confidence as the best of at most {trials:,} {word} without an edge. "
        "Every variant that was looked at before counts, also those by hand."
    )
