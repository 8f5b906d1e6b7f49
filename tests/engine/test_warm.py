"""Nothing compiles while an engine leads: seconds of compiling cost it its lease."""

import json
import subprocess
import sys

from tests.faults.processes import ROOT

LED = """
import asyncio, json
from trading.backtest import two_stage
from trading.core.rehearsal import still_market
from trading.core import fills, pipeline
from trading.core.config.pipeline import PipelineParams
from trading.wiring.warm import warm_core
from tests.engine.fakes import ArrayFeed, Street, random_bars
from tests.parity.test_books_of_decisions import FRESH, FeedWithBooks, flow_only

def versions():
    doors = {**vars(fills), **vars(pipeline), **vars(two_stage)}
    return {n: len(d.signatures) for n, d in doors.items() if hasattr(d, "signatures")}

warm_core()
two_stage.warm()
before = versions()
series = [random_bars(1, 900)]
street = Street(series, flow_only())
street.venue._feed = FeedWithBooks(ArrayFeed(series), kinds=(FRESH,))
asyncio.run(street.runner.run())
observed = two_stage.observe(series[0], still_market()[1], PipelineParams())
two_stage.decide(observed, PipelineParams(), cash=1e4)
now = versions()
print(json.dumps([sorted(n for n in now if now[n] != before[n]), len(street.ledger.fills)]))
"""


def test_an_engine_with_books_and_a_sweep_find_every_door_compiled() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LED], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    compiled_late, fills = json.loads(done.stdout.splitlines()[-1])
    assert compiled_late == []
    assert fills > 0


LOADED_BY_ANOTHER_REQUEST = """
import sys, uvloop, django
django.setup()
from trading.wiring import warm
warm.warm_client()
known = set(sys.modules)
uvloop.run(warm._ask_ourselves())
late = {name.partition(".")[0] for name in set(sys.modules) - known}
print(late - sys.stdlib_module_names, {"httpcore", "h11", "anyio"} <= known)
"""


def test_after_the_first_request_another_one_loads_no_module() -> None:
    command = [sys.executable, "-c", LOADED_BY_ANOTHER_REQUEST]

    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.strip() == "set() True"
