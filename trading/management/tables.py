"""Results of research as tables of plain text."""

from collections.abc import Mapping, Sequence
from typing import Any

from trading.research.objectives import score
from trading.research.requests import Search
from trading.research.results import IN_SAMPLE, Trial

CAUTION = "the best of many tries is partly luck: prove it with walk_forward before believing it"


def sweep(facts: dict[str, Any], *, top: int) -> str:
    """The best sets, after how many tries."""
    search, data = facts["search"], [data_line(one, facts) for one in facts["markets"]]
    head = (
        f"{facts['tried']:,} sets tried by {search['sampler']}{_different(facts)}, "
        f"{facts['eligible']:,} with at least {search['min_trades']} trades and a "
        f"{search['objective']}, {facts['refused']:,} refused; best first"
    )
    if not facts["leaders"]:
        return "\n".join([*data, head, "none is eligible"])
    return "\n".join([*data, "", head, *leaders(facts["leaders"][:top]), "", _luck(facts)])


def _different(facts: Mapping[str, Any]) -> str:
    repeated = facts["different"] < facts["tried"]
    return f" ({facts['different']:,} of them different)" if repeated else ""


def _luck(facts: Mapping[str, Any]) -> str:
    verdict = facts["result"]["verdict"]["headline"]
    return f"the first: {verdict}\n{facts['overfitting']['words']}\n{CAUTION}"


def partial(trials: Sequence[Trial], search: Search, *, top: int) -> str:
    """What was tried before it was stopped."""
    tried = [trial for trial in trials if trial.sample == IN_SAMPLE]
    rows = [
        {
            **trial.told(),
            "score": score(search.objective, trial.metrics, min_trades=search.min_trades),
        }
        for trial in tried
    ]
    rows = [row for row in rows if row["score"] is not None]
    rows.sort(key=lambda row: (-row["score"], row["index"]))
    head = f"stopped after {len(tried):,} of {search.trials:,} sets; they are counted as tries"
    return "\n".join([head, *leaders(rows[:top])])


def leaders(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a set: score, what it earned, and its values."""
    lines = [f"{'score':>10} {'return':>9} {'drawdown':>9} {'trades':>7}  values"]
    for row in rows:
        metrics = row["metrics"]
        values = ", ".join(f"{name}={value:g}" for name, value in row["values"].items())
        lines.append(
            f"{number(row['score']):>10} {percent(metrics['return']):>9} "
            f"{percent(metrics['max_drawdown']):>9} {metrics['trades']:>7,}  {values}"
        )
    return lines


def walk(facts: dict[str, Any]) -> str:
    """Every window, what was promised and what was kept, and the tests as one account."""
    how, search = facts["walk"], facts["search"]
    lines = [data_line(one, facts) for one in facts["markets"]]
    lines += [
        "",
        f"{how['mode']}, {how['train_days']} days of training, {how['purge_bars']} bars of gap, "
        f"{how['test_days']} days of test; {facts['tried']:,} sets tried by {search['sampler']} "
        f"for {search['objective']}",
        f"{'test':<23} {'in return':>10} {'out':>9} {'in Sharpe':>10} {'out':>7} {'trades':>7}  chosen",
    ]
    lines += [_window(row) for row in facts["windows"]]
    decay, whole = facts["decay"], facts["out_of_sample"]
    kept = decay[search["objective"]]["kept"]
    lines += [
        "",
        f"{search['objective']} in sample {number(decay[search['objective']]['in_sample'])}, "
        f"out of sample {number(decay[search['objective']]['out_of_sample'])}"
        + (f": {percent(kept)} of the promise kept" if kept is not None else ""),
        decay["sharpe_ratios"]["words"],
        f"all tests as one account: {whole['start_equity']:,.2f} to {whole['end_equity']:,.2f} "
        f"{facts['currency']}, return {percent(whole['return'])}, largest drawdown "
        f"{percent(whole['max_drawdown'])}, {whole['trades']:,} trades, Sharpe "
        f"{number(whole['sharpe'])}",
    ]
    return "\n".join(lines)


def _window(row: Mapping[str, Any]) -> str:
    first, last = (edge[:10] for edge in row["test"])
    if not row["out_of_sample"]:
        return f"{first} {last}   nothing eligible in {row['tried']:,} sets; not traded"
    inside, outside = row["in_sample"], row["out_of_sample"]
    values = ", ".join(f"{name}={value:g}" for name, value in row["values"].items())
    return (
        f"{first} {last}   {percent(inside['return']):>10} {percent(outside['return']):>9} "
        f"{number(inside['sharpe']):>10} {number(outside['sharpe']):>7} "
        f"{outside['trades']:>7,}  {values}"
    )


def lookahead(facts: dict[str, Any]) -> str:
    """Clean, or which bar and which fields knew the future."""
    if facts["equal"]:
        return (
            f"no look-ahead: {facts['decisions']:,} decisions, {facts['probes']} moments probed, "
            "with the future cut off and with another future; no decision before it changed"
        )
    lines = [f"LOOK-AHEAD: {facts['guilty_probes']} of {facts['probes']} probes changed the past"]
    for probe in facts["guilty"]:
        for one in probe["metrics"]["differences"]:
            lines.append(
                f"  {one['symbol']} bar {one['bar']}, future from {probe['metrics']['at']} "
                f"{one['way']}: {', '.join(one['fields'])}"
            )
    return "\n".join(lines)


def data_line(market: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """What was traded."""
    return (
        f"{market['symbol']} {facts['timeframe']} of {market['venue']}: {market['bars']:,} bars, "
        f"{market['first_at']} to {market['last_at']}, {market['missing']:,} missing"
    )


def percent(value: float | None) -> str:
    """A share as a percentage; a dash for nothing."""
    return "–" if value is None else f"{value:.2%}"


def number(value: float | None) -> str:
    """Two decimals; a dash for nothing."""
    return "–" if value is None else f"{value:,.2f}"
