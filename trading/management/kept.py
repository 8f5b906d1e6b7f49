"""Kept runs as text and as JSON: the list, one run's facts, several side by side."""

import json
from collections.abc import Sequence
from typing import Any

from trading.management.tables import number, percent
from trading.models import BacktestRun
from trading.queries.backtests import Comparison, ListedRun


def as_text(listed: Sequence[ListedRun]) -> str:
    """The list, newest first."""
    return "\n".join(map(line, listed)) or "no run is kept yet; backtest --tenant keeps one"


def line(listed: ListedRun) -> str:
    """One run on one line."""
    run, facts = listed.run, listed.headline
    asked = run.request
    told = [
        f"{run.number:>5}",
        f"{run.get_kind_display():<19}",
        f"{run.status:<9}",
        f"{run.created_at:%Y-%m-%d %H:%M}",
        f"{', '.join(asked['pairs'])} {asked['timeframe']}",
    ]
    if facts.get("return") is not None:
        told.append(f"return {percent(facts['return'])}, drawdown {percent(facts['max_drawdown'])}")
    if run.kind != BacktestRun.Kind.LOOKAHEAD:
        told.append(f"{run.trials} {'try' if run.trials == 1 else 'tries'}")
    return "  ".join(told)


def as_json(listed: Sequence[ListedRun]) -> str:
    """The list for programs."""
    return json.dumps([run_facts(one.run) for one in listed], indent=2)


def run_facts(run: BacktestRun) -> dict[str, Any]:
    """What the row says beside its result."""
    return {
        "run": run.number,
        "kind": run.kind,
        "status": run.status,
        "request": run.request,
        "trials": run.trials,
        "done": run.done,
        "total": run.total,
        "error": run.error,
        "data_sha256": run.data_hash,
        "core_sha256": run.core_hash,
        "params_sha256": run.params_hash,
        "result_sha256": run.result_hash,
        "created_at": run.created_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }


def comparison_json(compared: Comparison) -> str:
    """Several runs for programs."""
    return json.dumps(
        {
            "runs": [run.number for run in compared.runs],
            "asked": dict(compared.asked),
            "params": dict(compared.params),
            "metrics": {name: values for name, _, _, values in compared.metrics},
        },
        indent=2,
    )


def comparison_text(compared: Comparison) -> str:
    """Several runs side by side; of the parameters only those that differ."""
    rows = [("run", tuple(run.number for run in compared.runs)), *compared.asked]
    lines = [_row(name, values) for name, values in rows]
    lines += ["", *(_row(label, [_shown(v, form) for v in values])
              for _, label, form, values in compared.metrics)]  # fmt: skip
    lines += ["", "parameters that differ" if compared.params else "all parameters are equal"]
    return "\n".join([*lines, *(_row(name, values) for name, values in compared.params)])


def _row(name: str, values: Sequence[Any]) -> str:
    return f"{name:<34}" + "".join(f"{'–' if v is None else v!s:>22}" for v in values)


def _shown(value: float | None, form: str) -> str:
    if value is None:
        return "–"
    return (
        percent(value) if form == "percent" else number(value) if form != "count" else f"{value:,}"
    )
