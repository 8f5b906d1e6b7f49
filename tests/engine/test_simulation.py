"""Simulated engines: the same seed is the same history, every invariant holds, and a bug shows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trading.chaos.simulation import simulate
from trading.engine.errors import OutcomeUnknown
from trading.engine.execution import Execution
from trading.engine.messages import OrderRequest
from trading.engine.ports import Venue

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 20


def start(hash_seed: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "chaos", "--simulate", str(SEEDS), "--seed", "1", "--json"],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "DJANGO_SETTINGS_MODULE": "novapulse.settings",
        },
        stdout=subprocess.PIPE,
    )


def test_the_same_seeds_give_the_same_hashes_under_two_hash_seeds_and_nothing_breaks() -> None:
    processes = [start("1"), start("4242")]

    first, second = (json.loads(one.communicate()[0]) for one in processes)

    assert [one["digest"] for one in first] == [one["digest"] for one in second]
    assert len({one["digest"] for one in first}) == SEEDS
    assert [one["broken"] for one in first] == [[]] * SEEDS
    assert sum(one["fills"] for one in first) > SEEDS
    assert {"death", "answer lost", "request late", "leadership lost", "silence"} <= {
        name for one in first for name, count in one["faults"].items() if count
    }


def test_an_order_sent_again_after_no_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Again:
        def __init__(self, venue: Venue) -> None:
            self.venue = venue

        async def submit(self, order: OrderRequest) -> str:
            try:
                return await self.venue.submit(order)
            except OutcomeUnknown:
                return await self.venue.submit(order)

        def __getattr__(self, name: str) -> object:
            return getattr(self.venue, name)

    build = Execution.__init__
    monkeypatch.setattr(
        Execution,
        "__init__",
        lambda self, *, venue, **rest: build(self, venue=Again(venue), **rest),
    )

    assert any("orders placed twice" in " ".join(simulate(seed).broken) for seed in range(1, 30))
