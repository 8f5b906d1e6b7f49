"""METRICS: what every number of a report is called, means and comes from; the docs follow from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One number; ``unit``: money, share, ratio, R, days, hours, count or times a year."""

    name: str
    group: str
    label: str
    unit: str
    definition: str
    source: str


HOUSE = "common usage"
SHARPE = "Sharpe (1994), The Sharpe Ratio"
DAYS = "None under 30 days"

METRICS = (
    Metric("net_profit", "Return", "Net profit", "money",
           "equity at the end minus the cash at the start; an open position counts at its last close", HOUSE),
    Metric("return", "Return", "Return", "share", "equity at the end over the cash at the start, minus 1", HOUSE),
    Metric("cagr", "Return", "Yearly return", "share",
           f"(end / start) ^ (365 / days) - 1, days from the first bar to the last; {DAYS}", HOUSE),
    Metric("annual_volatility", "Risk", "Yearly volatility", "share",
           f"sample deviation of the returns of UTC days times √365; {DAYS}", HOUSE),
    Metric("sharpe", "Return", "Sharpe", "ratio",
           "mean over sample deviation of the returns of UTC days, times √365, riskless rate 0; "
           "a day without bars is a day without movement; None under 30 days or without movement", SHARPE),
    Metric("sortino", "Return", "Sortino", "ratio",
           "mean of the daily returns over the root mean square of the losing ones (over all days), "
           "times √365, target 0; None under 30 days or without a losing day",
           "Sortino and Price (1994), Performance Measurement in a Downside Risk Framework"),
    Metric("calmar", "Return", "Calmar", "ratio",
           "yearly return over the largest drawdown of the whole range; None without either",
           "Young (1991), Calmar Ratio: A Smoother Tool (there over 36 months)"),
    Metric("skewness", "Risk", "Skewness", "ratio",
           "third standardised moment of the daily returns; below 0: the large days are losses; "
           "None under 30 days or without movement", HOUSE),
    Metric("kurtosis", "Risk", "Kurtosis", "ratio",
           "fourth standardised moment of the daily returns, 3 for the normal distribution; "
           "None under 30 days or without movement", HOUSE),
    Metric("best_day", "Return", "Best day", "share", "highest return of a UTC day", HOUSE),
    Metric("worst_day", "Return", "Worst day", "share", "lowest return of a UTC day", HOUSE),
    Metric("max_drawdown", "Risk", "Largest drawdown", "share",
           "largest fall of equity, marked at every bar's close, below its highest before", HOUSE),
    Metric("longest_drawdown_days", "Risk", "Longest drawdown", "days",
           "longest time from a peak of equity until it is reached again, or until the end", HOUSE),
    Metric("trades", "Trades", "Trades", "count",
           "closed round trips from flat to flat; several exits of one position are one trade", HOUSE),
    Metric("win_rate", "Trades", "Won", "share", "trades with a profit above 0 after fees, over all trades", HOUSE),
    Metric("profit_factor", "Trades", "Profit factor", "ratio",
           "sum of gains over sum of losses, after fees; None without a losing trade", HOUSE),
    Metric("average_win", "Trades", "Average win", "money", "mean profit of the winning trades", HOUSE),
    Metric("average_loss", "Trades", "Average loss", "money", "mean profit of the other trades", HOUSE),
    Metric("expectancy", "Trades", "Expectancy", "money", "mean profit of a trade after fees", HOUSE),
    Metric("expectancy_r", "Trades", "Expectancy in R", "R",
           "mean of profit over what the first stop put at risk (its distance times the quantity)",
           "Tharp (1998), Trade Your Way to Financial Freedom"),
    Metric("best_trade", "Trades", "Best trade", "money", "highest profit of a trade", HOUSE),
    Metric("worst_trade", "Trades", "Worst trade", "money", "lowest profit of a trade", HOUSE),
    Metric("longest_winning_streak", "Trades", "Most wins in a row", "count", "winning trades in a row", HOUSE),
    Metric("longest_losing_streak", "Trades", "Most losses in a row", "count",
           "trades that did not win in a row", HOUSE),
    Metric("average_hold_hours", "Activity", "Average hold", "hours",
           "mean time from the first entry fill to the last exit fill", HOUSE),
    Metric("time_in_market", "Activity", "Time in the market", "share",
           "share of decided bars after which their market held a position", HOUSE),
    Metric("exposure", "Activity", "Average exposure", "share",
           "mean over time of the absolute value of all positions over equity", HOUSE),
    Metric("turnover", "Activity", "Turnover", "times a year",
           f"value bought and sold over mean equity, per 365 days; {DAYS}", HOUSE),
    Metric("fees", "Activity", "Fees", "money", "all fees paid, also of a position still open", HOUSE),
)  # fmt: skip
BY_NAME = {metric.name: metric for metric in METRICS}


UNITS = {
    "money": "quote currency",
    "share": "share of 1, shown in %",
    "R": "multiples of the risk at entry",
}


def metrics_markdown() -> str:
    """The page of docs that says what every number means."""
    lines = [
        "# What the numbers mean",
        "",
        "Made from `trading/backtest/declared.py`; a test holds both together. A number that is not",
        "defined for a run is `null` in JSON and a dash on pages, never 0.",
    ]
    for group in dict.fromkeys(metric.group for metric in METRICS):
        lines += [
            "",
            f"## {group}",
            "",
            "| name | unit | definition | source |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| **{m.label}** `{m.name}` | {UNITS.get(m.unit, m.unit)} | {m.definition} | {m.source} |"
            for m in METRICS
            if m.group == group
        ]
    return "\n".join(lines) + "\n"
