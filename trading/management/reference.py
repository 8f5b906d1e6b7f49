"""Pages of docs that follow from the code's own declarations; a test holds both together."""

import ast
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from trading.backtest.declared import metrics_markdown
from trading.core.codes import Abstain, ExitReason, Gate, Reason, Stage
from trading.core.config.features import FEATURE_HASH, FEATURES
from trading.core.config.pipeline import PipelineParams, StrategiesParams
from trading.core.config.profiles import PROFILES
from trading.core.explain import SENTENCES, words
from trading.core.params import to_mapping

CORE = Path(__file__).resolve().parents[1] / "core"
NOTE = "Made by `manage.py describe`; a test holds it and the code together."


def pages() -> dict[str, str]:
    """Every page by its name in docs."""
    return {
        "strategies.md": strategies_markdown(),
        "parameters.md": parameters_markdown(),
        "gates.md": gates_markdown(),
        "metrics.md": metrics_markdown(),
    }


def strategies_markdown() -> str:
    """Each strategy: its rule, its family, its parameters."""
    lines = [
        "# Strategies",
        "",
        NOTE,
        "",
        "All vote on every timeframe in use; a weight of 0 is off.",
    ]
    families = _families()
    for declared in fields(StrategiesParams):
        name = declared.name
        rule, number = _strategy(name)
        params = declared.default_factory
        lines += ["", f"## {name}", "", f"*Family: {families[number]}.* {_first(rule)}", ""]
        lines += [*_rest(rule), "", *_table(fields(params))]  # type: ignore[arg-type]  # a dataclass
    return "\n".join(lines) + "\n"


def parameters_markdown() -> str:
    """Every parameter beside the strategies' own, and the profiles."""
    lines = [
        "# Parameters",
        "",
        NOTE,
        "",
        "A bot's revision is one value for each; all have bounds.",
    ]
    for declared in fields(PipelineParams):
        if declared.name == "strategies":
            continue
        group: Any = declared.default_factory
        lines += ["", f"## {declared.name}", "", (group.__doc__ or "").strip(), ""]
        lines += _table(fields(group))
    lines += ["", "## Profiles", "", "What differs from the defaults.", "", "| profile | changes |"]
    lines += ["|---|---|"]
    plain = _flat(to_mapping(PipelineParams()))
    for name, params in PROFILES.items():
        changed = {k: v for k, v in _flat(to_mapping(params)).items() if v != plain[k]}
        told = ", ".join(f"`{k}` {v:g}" for k, v in changed.items()) or "none"
        lines.append(f"| {name} | {told} |")
    return "\n".join(lines) + "\n"


def gates_markdown() -> str:
    """Gates in their order, reasons in words, and the model's features."""
    lines = [
        "# Gates, reasons and features",
        "",
        NOTE,
        "",
        "## Gates in the order they are asked",
        "",
    ]
    lines += [f"{gate.value + 1}. {words(gate)}" for gate in Gate]
    lines += [
        "",
        "The first that refuses is the decision's reason; later ones are not asked. A gate",
    ]
    lines += ["whose input is absent neither passes nor refuses.", "", "## Reasons", ""]
    lines += ["| reason | in words |", "|---|---|"]
    lines += [f"| {words(reason)} | {SENTENCES[reason]} |" for reason in Reason]
    for title, codes in (("Stages", Stage), ("Why a strategy has no vote", Abstain)):
        lines += ["", f"## {title}", "", ", ".join(words(code) for code in codes) + "."]
    lines += ["", "## Ways out", "", ", ".join(words(code) for code in ExitReason) + "."]
    lines += [
        "",
        "## Features",
        "",
        f"Schema `{FEATURE_HASH[:16]}`: a model made for another is refused.",
    ]
    lines += ["", "| feature | centre | scale |", "|---|--:|--:|"]
    lines += [f"| {name} | {centre:g} | {scale:g} |" for name, centre, scale in FEATURES]
    return "\n".join(lines) + "\n"


def _table(declared: tuple[Field[Any], ...]) -> list[str]:
    rows = ["| parameter | default | from | to | unit | meaning |", "|---|--:|--:|--:|---|---|"]
    for one in declared:
        if one.default is MISSING:
            continue
        meta = one.metadata
        low, high = f"{meta['low']:g}", f"{meta['high']:g}"
        rows.append(
            f"| `{one.name}` | {one.default:g} | {low} | {high} | {meta['unit']} | {meta['help']} |"
        )
    return rows


def _strategy(name: str) -> tuple[str, int]:
    """Docstring and family of a strategy's module, read without the compiler."""
    tree = ast.parse((CORE / "strategies" / f"{name}.py").read_text())
    return ast.get_docstring(tree) or "", _constant(tree, "FAMILY")


def _families() -> tuple[str, ...]:
    tree = ast.parse((CORE / "strategies" / "__init__.py").read_text())
    return tuple(_constant(tree, "FAMILY_NAMES"))


def _constant(tree: ast.Module, name: str) -> Any:
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    raise KeyError(f"no {name} at the module's top")


def _first(text: str) -> str:
    rule = text.split("\n\n")[0].split(": ", 1)[-1].strip().replace("\n", " ")
    return rule[:1].upper() + rule[1:]


def _rest(text: str) -> Iterator[str]:
    yield from text.split("\n\n", 1)[-1].splitlines()


def _flat(values: dict[str, Any], path: str = "") -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in values.items():
        where = f"{path}.{name}" if path else name
        found |= _flat(value, where) if isinstance(value, dict) else {where: value}
    return found
