"""The engine's loop over the paper venue and the backtest's compiled loop are one and the same."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.play import CHASES, LIMITS, WHOLE
from tests.engine import fakes
from tests.engine.fakes import Crash, MemoryLedger, Street, random_bars
from trading.backtest import runner as backtest
from trading.core.codes import Purpose
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.engine.messages import FillReport
from trading.engine.runner import Outcome
from trading.engine.state import new_markets

ACTIVE = PROFILES["active"]


def reference(street: Street, series: list[np.ndarray]) -> backtest.Result:
    return backtest.run(
        series=series,
        markets=new_markets(street.specs),
        params=street.params,
        cash=float(street.ledger.cash),
    )


def as_rows(result: backtest.Result) -> list[tuple[int, ...]]:
    names = (
        "intent_seq",
        "time_ns",
        "purpose",
        "side",
        "quantity_lots",
        "price_ticks",
        "fee_units",
    )
    return [
        (int(market), *(int(fill[name]) for name in names))
        for market, fill in zip(result.fill_market, result.fills, strict=True)
    ]


def as_row(report: FillReport) -> tuple[int, ...]:
    return (
        report.market,
        report.intent_seq,
        report.time_ns,
        report.purpose,
        report.side,
        report.quantity_lots,
        report.price_ticks,
        report.fee_units,
    )


def assert_equal(street: Street, ledger: MemoryLedger, result: backtest.Result) -> None:
    expected = [
        (int(market), record)
        for market, record in zip(result.decision_market, result.records(), strict=True)
    ]
    assert ledger.decisions == expected
    assert [as_row(report) for report in ledger.fills] == as_rows(result)
    assert street.core.account.tobytes() == result.account.tobytes()
    assert street.core.markets.tobytes() == result.markets.tobytes()


@pytest.mark.parametrize("markets", [1, 3])
@pytest.mark.parametrize(
    "params", [ACTIVE, WHOLE, LIMITS, CHASES], ids=["active", "whole", "limits", "chases"]
)
def test_an_undisturbed_run_decides_and_fills_like_the_backtest(
    params: PipelineParams, markets: int
) -> None:
    series = [random_bars(seed, 3000) for seed in range(markets)]
    street = Street(series, params)

    outcome = asyncio.run(street.runner.run())

    result = reference(street, series)
    assert outcome is Outcome.FINISHED
    assert len(result.fills) > 10
    assert_equal(street, street.ledger, result)


def test_on_paper_no_dust_is_left_although_an_entry_brings_less_than_the_least_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    least = 200  # lots
    larger = {"min_quantity": least * fakes.spec().lot_size}
    monkeypatch.setattr(
        fakes, "spec", lambda index, *, _spec=fakes.spec, **k: replace(_spec(index, **k), **larger)
    )
    thin = replace(LIMITS, costs=replace(LIMITS.costs, fill_share=0.001))
    series = [random_bars(seed, 3000) for seed in range(3)]
    street = Street(series, thin)

    asyncio.run(street.runner.run())

    exits = [one for one in street.ledger.fills if one.purpose != Purpose.ENTRY]
    assert min(one.quantity_lots for one in exits) < least
    assert street.ledger.write_offs == []
    assert_equal(street, street.ledger, reference(street, series))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 50),
    crashes=st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=8),
    params=st.sampled_from([ACTIVE, WHOLE, LIMITS, CHASES]),
)
def test_a_run_that_dies_at_any_commit_ends_equal_to_an_undisturbed_one(
    seed: int, crashes: list[tuple[int, bool]], params: PipelineParams
) -> None:
    series = [random_bars(seed, 1500)]
    ledger = MemoryLedger()
    for commits, before in crashes:
        ledger.commits = 0
        ledger.crash_before, ledger.crash_after = (commits, None) if before else (None, commits)
        street = Street(series, params, ledger=ledger)
        try:
            asyncio.run(street.runner.run())
        except Crash:
            continue
        break
    ledger.crash_before = ledger.crash_after = None
    last = Street(series, params, ledger=ledger)

    asyncio.run(last.runner.run())

    assert_equal(last, ledger, reference(last, series))
