"""The backtest command's words: its time range, its parameters, its report as a table."""

import json
import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.core.params import InvalidParams, validate
from trading.research.requests import FOREVER_NS


def timerange(text: str) -> tuple[int, int]:
    """Option type: ``20180101-20181231``, either side may be left out; the last day is not included."""
    match = re.fullmatch(r"(\d{8}|\d{10}|\d{13})?-(\d{8}|\d{10}|\d{13})?", text)
    if match is None or text == "-":
        raise ArgumentTypeError(
            f"timerange {text!r}: accepted is YYYYMMDD-YYYYMMDD, either side may be left out"
        )
    start_ns = _instant(match[1], text) if match[1] else 0
    end_ns = _instant(match[2], text) if match[2] else FOREVER_NS
    if end_ns <= start_ns:
        raise ArgumentTypeError(f"timerange {text!r}: its end must lie after its beginning")
    return start_ns, end_ns


def _instant(text: str, whole: str) -> int:
    if len(text) > 8:
        return int(text) * (1_000_000_000 if len(text) == 10 else 1_000_000)
    try:
        day = datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(f"timerange {whole!r}: {text} is no day of the calendar") from None
    return int(day.timestamp()) * 1_000_000_000


def read_params(*, profile: str, path: Path | None) -> PipelineParams:
    """The parameters of a named profile, or of a JSON file; absent ones take their defaults.

    Raises:
        InvalidParams: not readable, not JSON, an unknown name or a value outside its bounds.
    """
    if path is None:
        return PROFILES[profile]
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidParams(f"--params {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidParams(f"--params {path}: not JSON ({error})") from error
    return validate(PipelineParams, values)


def as_text(facts: dict[str, Any], *, trades: bool) -> str:
    """The report as a table, with its assumptions in words."""
    money = facts["currency"]
    rows = [
        ("equity", f"{facts['start_equity']:,.2f} to {facts['end_equity']:,.2f} {money}"),
        ("return", _percent(facts["return"])),
        *((f"buy and hold {name}", f"{_percent(hold['return'])}, drawdown {_percent(-hold['max_drawdown'])}")
          for name, hold in facts["buy_and_hold"].items()),
        ("largest drawdown", _percent(-facts["max_drawdown"])),
        ("closed trades", f"{facts['closed_trades']:,} (open at the end: {facts['open_positions']})"),
        ("won", _percent(facts["win_rate"])),
        ("profit factor", _number(facts["profit_factor"])),
        ("average win, loss", f"{_number(facts['average_win'])}, {_number(facts['average_loss'])} {money}"),
        ("fees", f"{facts['fees']:,.2f} {money}"),
        ("time in the market", _percent(facts["time_in_market"])),
        ("Sharpe, daily", _number(facts["sharpe_daily"])),
        ("Sortino, Calmar", f"{_number(facts['metrics']['sortino'])}, {_number(facts['metrics']['calmar'])}"),
        ("expectancy", f"{_number(facts['expectancy'])} {money}, {_number(facts['metrics']['expectancy_r'])} R"),
        ("exits by", _counts(facts["exits"])),
        ("decisions by reason", _counts(facts["decisions"])),
        ("core", facts["core_sha256"]),
        ("parameters", facts["params_sha256"]),
    ]  # fmt: skip
    lines = [_market_line(market, facts["timeframe"]) for market in facts["markets"]]
    verdict = facts["verdict"]
    lines += ["", verdict["headline"], *(f"  {words}" for words in verdict["sentences"])]
    lines += ["", *(f"{name:<22} {value}" for name, value in rows), "", "Assumptions"]
    lines += [f"  {assumption}" for assumption in facts["assumptions"]]
    lines.append("  what was earned in the past says little about what comes")
    if trades:
        lines += ["", *map(_trade_line, facts["trades"])]
    return "\n".join(lines)


def _market_line(market: dict[str, Any], timeframe: str) -> str:
    return (
        f"{market['symbol']} {timeframe} of {market['venue']}: {market['bars']:,} bars, "
        f"{market['first_at']} to {market['last_at']}, {market['missing']:,} missing, "
        f"longest hole {market['longest_gap_bars']} bars\n  data sha256 {market['sha256']}"
    )


def _trade_line(trade: dict[str, Any]) -> str:
    return (
        f"{trade['entry_at']} {trade['exit_at']} {trade['symbol']} {trade['side']} "
        f"{trade['quantity']} at {trade['entry_price']}, out {trade['exit_price']}, "
        f"profit {trade['profit']} ({trade['reason']})"
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value + 0.0:.2%}"  # never -0.00%


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"
