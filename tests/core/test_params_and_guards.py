"""Parameters refuse what is out of bounds in words; the core's lists of names agree everywhere."""

import ast
import inspect
import json
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from tests.core.samples import walk
from trading.core import explain, jit, params, pipeline, regime, strategies
from trading.core.codes import Abstain, Gate, Reason, Regime, Side, Stage, Verdict, Volatility
from trading.core.config.pipeline import STRATEGY_NAMES, PipelineParams, StrategiesParams
from trading.core.config.profiles import PROFILES


def leaves(value: object, path: tuple[str, ...] = ()):
    for declared in fields(value):
        inner = getattr(value, declared.name)
        if is_dataclass(inner):
            yield from leaves(inner, (*path, declared.name))
        else:
            yield (*path, declared.name), declared, inner


def nested(path: tuple[str, ...], value: object) -> dict:
    for name in reversed(path):
        value = {name: value}
    return value


LEAVES = list(leaves(PipelineParams()))


@pytest.mark.parametrize(
    ("path", "declared", "default"), LEAVES, ids=[".".join(p) for p, *_ in LEAVES]
)
def test_a_value_at_a_bound_is_taken_and_one_beyond_is_refused_by_name(path, declared, default):
    low, high = declared.metadata["low"], declared.metadata["high"]
    for bound in (low, high):
        params.validate(PipelineParams, nested(path, bound))
    for beyond in (low - 1, high + 1, float("nan") if isinstance(default, float) else "7", True):
        with pytest.raises(params.InvalidParams) as refusal:
            params.validate(PipelineParams, nested(path, beyond))
        assert str(refusal.value).startswith(".".join(path) + ": must be")
        assert f"from {low} to {high}" in str(refusal.value)


def test_an_unknown_name_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(params.InvalidParams, match=r"^risk.max_drawdwn: .*'max_drawdown'"):
        params.validate(PipelineParams, {"risk": {"max_drawdwn": 0.1}})


def test_a_group_that_is_no_object_is_refused_by_name() -> None:
    with pytest.raises(params.InvalidParams, match=r"^sizing: must be an object, was 3"):
        params.validate(PipelineParams, {"sizing": 3})


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_survives_json_and_meets_its_own_schema(name: str) -> None:
    schema = params.json_schema(PipelineParams)
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.loads(json.dumps(params.to_mapping(PROFILES[name])))

    jsonschema.validate(text, schema)

    assert params.validate(PipelineParams, text) == PROFILES[name]


def test_the_schema_refuses_what_validation_refuses() -> None:
    schema = params.json_schema(PipelineParams)

    for wrong in (
        {"risk": {"max_drawdown": 0.95}},
        {"risks": {}},
        {"exits": {"max_hold_bars": 1.5}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
        with pytest.raises(params.InvalidParams):
            params.validate(PipelineParams, wrong)


def test_the_record_holds_every_value_under_its_name() -> None:
    record = pipeline.new_params(PROFILES["active"])[0]

    for path, _, value in leaves(PROFILES["active"]):
        cell = record
        for name in path:
            cell = cell[name]
        assert cell == value


def test_the_hash_tells_any_two_parameters_apart_and_equal_ones_not() -> None:
    default = PipelineParams()
    other = replace(default, risk=replace(default.risk, cooldown_bars=6))

    assert params.params_hash(default) == params.params_hash(PipelineParams())
    assert params.params_hash(default) != params.params_hash(other)


def test_every_list_of_strategies_names_the_same_ones_in_the_same_order() -> None:
    names = tuple(module.NAME for module in strategies.REGISTRY)
    tree = ast.parse(inspect.getsource(strategies))
    kernels = ("score_all", "score_more")
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in kernels]
    called = [
        ast.unparse(node.func.value)
        for kernel in found
        for statement in kernel.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    weighed = inspect.getsource(strategies.weights.py_func)
    weights = [weighed.index(f"p.{name}.weight") for name in names]

    assert names == STRATEGY_NAMES
    assert tuple(f.name for f in fields(StrategiesParams)) == names
    assert strategies.STATE.names == names
    assert pipeline.PARAMS["strategies"].names == names
    assert pipeline.DECISION["abstain"].shape == (len(names),)
    assert pipeline.DETAIL["votes"].shape == (len(names),)
    assert tuple(called) == names
    assert weights == sorted(weights)
    assert regime.MULTIPLIERS.shape == (len(names), len(Regime), len(Volatility))
    assert set(regime.TABLE) <= set(names)
    assert max(strategies.FAMILIES) < len(strategies.FAMILY_NAMES)


def test_the_core_hash_changes_with_any_file_of_the_core(tmp_path: Path) -> None:
    copy = tmp_path / "core"
    shutil.copytree(jit.CORE_DIR, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert jit.source_hash(copy) == jit.CORE_HASH

    for path in sorted(copy.rglob("*.py")):
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        assert jit.source_hash(copy) != jit.CORE_HASH, path.name
        path.write_bytes(before)
    (copy / "new.py").write_text("")
    assert jit.source_hash(copy) != jit.CORE_HASH


def test_parameters_and_words_need_no_compiler() -> None:
    program = (
        "import sys, trading.core.config.profiles, trading.core.explain, trading.core.codes;"
        "sys.exit('numba' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=jit.PROJECT_ROOT).returncode == 0


def test_every_code_of_a_decision_has_its_words() -> None:
    record, detail = np.zeros(1, explain.DECISION)[0], np.zeros(1, explain.DETAIL)[0]
    for stage in Stage:
        for reason in Reason:
            for code in range(max(len(Regime), len(Side), len(Abstain), len(Verdict))):
                record["stage"], record["reason"] = stage, reason
                record["regime"], record["side"] = code % len(Regime), code % len(Side) - 1
                record["abstain"] = code % len(Abstain)
                record["volatility"] = code % len(Volatility)
                detail["gates"]["verdict"] = code % len(Verdict)
                told = explain.describe(explain.read(record.tobytes() + detail.tobytes()))
                assert told["sentence"] == explain.SENTENCES[reason]
                assert told["stage"] == explain.words(stage)
                assert [vote["strategy"] for vote in told["votes"]] == list(STRATEGY_NAMES)
                assert [gate["name"] for gate in told["gates"]] == [explain.words(g) for g in Gate]
                json.dumps(told, allow_nan=False)
    assert len(set(explain.SENTENCES.values())) == len(Reason)


def test_bytes_of_another_layout_are_refused() -> None:
    with pytest.raises(ValueError, match="a decision has"):
        explain.read(b"\0" * (explain.DECISION.itemsize - 1))


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("open", 0.0, "a finite price above 0"),
        ("high", np.inf, "a finite price above 0"),
        ("low", -1.0, "a finite price above 0"),
        ("close", np.nan, "a finite price above 0"),
        ("high", 1e-3, "the highest of its bar"),
        ("volume", -1.0, "a finite volume of 0 or more"),
        ("volume", np.nan, "a finite volume of 0 or more"),
        ("open_ns", 0, "later than the bar before"),
    ],
)
def test_a_bar_that_cannot_be_used_is_named_by_row_field_and_value(field, value, accepted) -> None:
    bars = walk(1, 20)
    bars[field][13] = value

    with pytest.raises(pipeline.BadBar) as refusal:
        pipeline.check_bars(bars)

    assert str(refusal.value) == f"bar 13: {field} must be {accepted}, was {bars[field][13]}"


def test_a_low_above_open_or_close_is_named() -> None:
    bars = walk(1, 20)
    bars["low"][7] = bars["high"][7]

    with pytest.raises(pipeline.BadBar, match=r"^bar 7: low must be the lowest of its bar"):
        pipeline.check_bars(bars)


def test_usable_bars_pass_also_when_they_are_every_other_row() -> None:
    pipeline.check_bars(walk(1, 50))
    pipeline.check_bars(walk(1, 50)[::2])
    pipeline.check_bars(walk(1, 1)[:0])
