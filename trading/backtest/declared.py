"""METRICS: what every number of a report is called, means and comes from; the docs follow from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One number; ``unit``: money, share, ratio, R, days, hours, count or times a year."""

    name: str
    label: str
    unit: str
    definition: str
    source: str


HOUSE = "common usage"
SHARPE = "Sharpe (1994), The Sharpe Ratio"
DAYS = "None under 30 days"

METRICS = (
    Metric("net_profit", "Net profit", "money",
           "equity at the end minus the cash at the start; an open position counts at its last close", HOUSE),
    Metric("return", "Return", "share", "equity at the end over the cash at the start, minus 1", HOUSE),
    Metric("cagr", "Yearly return", "share",
           f"(end / start) ^ (365 / days) - 1, days from the first bar to the last; {DAYS}", HOUSE),
    Metric("annual_volatility", "Yearly volatility", "share",
           f"sample deviation of the returns of UTC days times √365; {DAYS}", HOUSE),
    Metric("sharpe", "Sharpe", "ratio",
           "mean over sample deviation of the returns of UTC days, times √365, riskless rate 0; "
           "a day without bars is a day without movement; None under 30 days or without movement", SHARPE),
    Metric("sortino", "Sortino", "ratio",
           "mean of the daily returns over the root mean square of the losing ones (over all days), "
           "times √365, target 0; None under 30 days or without a losing day",
           "Sortino and Price (1994), Performance Measurement in a Downside Risk Framework"),
    Metric("calmar", "Calmar", "ratio",
           "yearly return over the largest drawdown of the whole range; None without either",
           "Young (1991), Calmar Ratio: A Smoother Tool (there over 36 months)"),
    Metric("skewness", "Skewness", "ratio",
           "third standardised moment of the daily returns; below 0: the large days are losses; "
           "None under 30 days or without movement", HOUSE),
    Metric("kurtosis", "Kurtosis", "ratio",
           "fourth standardised moment of the daily returns, 3 for the normal distribution; "
           "None under 30 days or without movement", HOUSE),
    Metric("best_day", "Best day", "share", "highest return of a UTC day", HOUSE),
    Metric("worst_day", "Worst day", "share", "lowest return of a UTC day", HOUSE),
    Metric("max_drawdown", "Largest drawdown", "share",
           "largest fall of equity, marked at every bar's close, below its highest before", HOUSE),
    Metric("longest_drawdown_days", "Longest drawdown", "days",
           "longest time from a peak of equity until it is reached again, or until the end", HOUSE),
    Metric("trades", "Trades", "count",
           "closed round trips from flat to flat; several exits of one position are one trade", HOUSE),
    Metric("win_rate", "Won", "share", "trades with a profit above 0 after fees, over all trades", HOUSE),
    Metric("profit_factor", "Profit factor", "ratio",
           "sum of gains over sum of losses, after fees; None without a losing trade", HOUSE),
    Metric("average_win", "Average win", "money", "mean profit of the winning trades", HOUSE),
    Metric("average_loss", "Average loss", "money", "mean profit of the other trades", HOUSE),
    Metric("expectancy", "Expectancy", "money", "mean profit of a trade after fees", HOUSE),
    Metric("expectancy_r", "Expectancy in R", "R",
           "mean of profit over what the first stop put at risk (its distance times the quantity)",
           "Tharp (1998), Trade Your Way to Financial Freedom"),
    Metric("best_trade", "Best trade", "money", "highest profit of a trade", HOUSE),
    Metric("worst_trade", "Worst trade", "money", "lowest profit of a trade", HOUSE),
    Metric("longest_winning_streak", "Most wins in a row", "count", "winning trades in a row", HOUSE),
    Metric("longest_losing_streak", "Most losses in a row", "count",
           "trades that did not win in a row", HOUSE),
    Metric("average_hold_hours", "Average hold", "hours",
           "mean time from the first entry fill to the last exit fill", HOUSE),
    Metric("time_in_market", "Time in the market", "share",
           "share of decided bars after which their market held a position", HOUSE),
    Metric("exposure", "Average exposure", "share",
           "mean over time of the absolute value of all positions over equity", HOUSE),
    Metric("turnover", "Turnover", "times a year",
           f"value bought and sold over mean equity, per 365 days; {DAYS}", HOUSE),
    Metric("fees", "Fees", "money", "all fees paid, also of a position still open", HOUSE),
)  # fmt: skip
BY_NAME = {metric.name: metric for metric in METRICS}
