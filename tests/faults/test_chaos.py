"""kill -9 at random moments: no fill lost or doubled, the end equal to an undisturbed run."""

import json

import pytest

from tests.forking import answer_of
from trading.models import Instrument

pytestmark = pytest.mark.faults


def test_an_engine_killed_again_and_again_ends_equal_to_an_undisturbed_one(
    street, environment
) -> None:
    street(12_000)
    instrument = Instrument.objects.get(symbol="BTC/USD")

    done = answer_of(
        "manage.py", "chaos", f"--pair={instrument.symbol}", "--exchange=bitfinex", "--kills=8",
        "--seed=3", "--json", environment=environment, timeout=240,
    )  # fmt: skip

    verdict = json.loads(done.stdout or "{}")
    assert done.returncode == 0, done.stderr[-2000:]
    assert verdict["equal"] is True
    assert verdict["kills"] >= 4
    assert verdict["fills"] > 20
    assert verdict["decisions"] > 11_000
