"""A workspace whose engine replays bars of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import factories
from tests.database import FreshDatabase
from tests.engine.fakes import random_bars
from tests.factories import EngineRows
from tests.faults.processes import SHORT_LEASE, ended_afterwards
from tests.faults.simulated import Venue
from tests.pages import free_port
from trading.marketdata.store import BarStore


@pytest.fixture
def environment(fresh_database: FreshDatabase, tmp_path: Path, settings) -> dict[str, str]:
    """For child processes: this test's database and bars."""
    settings.BARS_DIR, settings.TAPE_DIR = tmp_path / "bars", tmp_path / "tapes"
    return {
        **fresh_database.environment,
        "NOVA_BARS_DIR": str(settings.BARS_DIR),
        "NOVA_TAPE_DIR": str(settings.TAPE_DIR),
    }


@pytest.fixture
def venue(environment: dict[str, str], tmp_path: Path, settings) -> Iterator[Venue]:
    """The simulator on a port of its own, and an installation that knows it."""
    port = free_port()
    environment |= {"NOVA_SIMULATOR_PORT": str(port), "NOVA_DATA_DIR": str(tmp_path / "data"),
                    "NOVA_ENV": "development", **SHORT_LEASE}  # fmt: skip
    settings.RECORDED_DIR = tmp_path / "data" / "bars-recorded"
    made = Venue(environment, port)
    with ended_afterwards(made.process):
        yield made
        if made.process.poll() is None:
            made.kill()


@pytest.fixture
def street(environment: dict[str, str], settings) -> Callable[..., EngineRows]:
    """Make an engine over so many random bars."""

    def make(
        count: int = 3000, *, seed: int = 1, slug: str = "acme", speed: str = "max"
    ) -> EngineRows:
        store = BarStore(settings.BARS_DIR)
        bars = random_bars(seed, count)
        series = factories.store_bars(bars, store=store, venue="bitfinex", symbol="BTC/USD")
        return factories.make_engine(slug, series.instrument, speed=speed)

    return make
