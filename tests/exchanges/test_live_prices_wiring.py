"""An engine of a venue that is reached by wire knows prices between bars, on paper and with real orders."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tenants import operations
from tenants.scoping import tenant_scope
from tests import factories
from tests.engine.fakes import MINUTE_NS, random_bars
from tests.exchanges.street import KEY, SECRET, open_simulator
from tests.exchanges.test_coinbase_wiring import plan_of
from tests.exchanges.test_live_prices import is_as_at
from tests.simulator_place import tell_port
from trading.engine.clock import SystemClock
from trading.engine.messages import PriceTick
from trading.wiring.keys import open_usable_key
from trading.wiring.plans import Plan
from trading.wiring.streets import build_street

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("mode", ["PAPER", "LIVE"])
def test_the_street_of_an_account_hears_the_venues_prices(
    mode: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.DATA_DIR, settings.RECORDED_DIR = tmp_path, tmp_path / "recorded"
    plan = plan_of("simulator", mode=mode)
    if mode == "LIVE":
        with tenant_scope(plan.tenant_id):
            operations.seal_key(
                account_id=plan.account.id, key=KEY, secret=SECRET, actor=None, now=factories.NOW
            )
            opened = open_usable_key(plan.account.id)
        # Within the loop Django takes another connection, which sees nothing of this test's rows.
        monkeypatch.setattr("trading.wiring.streets.open_usable_key", lambda _: opened)

    is_known, told = asyncio.run(hear(plan, tmp_path))

    assert is_known
    ticks = [one for one in told if isinstance(one, PriceTick)]
    assert mode == "LIVE" or all(one.time_ns % MINUTE_NS == 0 for one in ticks)  # a bar's open


async def hear(plan: Plan, folder: Path) -> tuple[bool, list[Any]]:
    """Whether the venue's prices came to be known, and what the engine was told meanwhile."""
    bars = random_bars(2, 190)
    simulator = await open_simulator(bars)
    simulator.clock.jump(int(bars["open_ns"][100]) + 1)
    tell_port(folder, simulator.port)
    street, told = build_street(plan, speed=None, clock=SystemClock()), list[Any]()

    async def listen() -> None:
        async for one in street.venue.messages(after_ns={}):
            told.append(one)

    task = asyncio.create_task(listen())
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while not is_as_at(simulator, street.quotes):
                await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    is_known = is_as_at(simulator, street.quotes)
    await street.close()
    await simulator.stop()
    return is_known, told
