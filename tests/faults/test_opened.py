"""What a person opened is what an engine trades: at the simulator's two wires, and over imported bars."""

import asyncio
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.engine.fakes import random_bars
from tests.factories import NOW
from tests.faults.processes import SHORT_LEASE, ended_afterwards, wait_for
from tests.forking import Program
from tests.simulator_place import tell_port
from trading import operations
from trading.core.config.profiles import PROFILES
from trading.core.params import to_mapping
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.synthetic import SyntheticBars
from trading.marketdata.store import BarStore
from trading.models import Decision, Engine

pytestmark = pytest.mark.faults
GRID = Grid(Decimal("0.1"), Decimal("0.00000001"), Decimal("0.0001"), Decimal("0.5"))


def opened(venue: str) -> UUID:
    """A new workspace with an account and a bot, as its page makes them."""
    tenant = factories.make_tenant("acme")
    with tenant_scope(tenant.id):
        account = operations.open_account(
            tenant_id=tenant.id, venue=venue, name="First", currency="USD",
            cash=Decimal(10_000), speed="max", actor=None, now=NOW,
        )  # fmt: skip
        wanted = operations.Wanted("Bot", ["BTC/USD"], 60, to_mapping(PROFILES["active"]))
        operations.open_bot(account_id=account.id, wanted=wanted, actor=None, now=NOW)
    return tenant.id


def decided(tenant_id: UUID) -> int:
    with tenant_scope(tenant_id):
        return Decision.objects.count()


@pytest.fixture
def simulator(environment: dict[str, str], tmp_path: Path, settings: Any) -> Iterator[None]:
    """Listening, at the pace of a second a minute."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    venue = Simulator(start_ns=time.time_ns(), speed=60.0)
    venue.list_pair("BTC/USD", source=SyntheticBars(1, "BTC/USD"), grid=GRID)
    asyncio.run_coroutine_threadsafe(venue.start(), loop).result(10)
    settings.DATA_DIR = tmp_path / "data"
    tell_port(settings.DATA_DIR, venue.port)
    environment.update(SHORT_LEASE, NOVA_DATA_DIR=str(settings.DATA_DIR))
    yield
    asyncio.run_coroutine_threadsafe(venue.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.mark.parametrize("venue", sorted(ExchangeAccount.PLAY_VENUES))
def test_a_new_account_at_the_simulator_decides(
    environment: dict[str, str], simulator: None, venue: str
) -> None:
    tenant_id = opened(venue)
    command = ("manage.py", "run_engine", "--tenant", "acme")
    process = Program(*command, "--exchange", str(venue), environment=environment)

    with ended_afterwards(process):
        wait_for(lambda: decided(tenant_id) > 0, "it decides", seconds=90)

    with tenant_scope(tenant_id):
        assert Engine.objects.get().detail == ""


def test_a_new_account_over_imported_bars_decides_on_each(
    environment: dict[str, str], settings: Any
) -> None:
    factories.store_bars(
        random_bars(3, 50), store=BarStore(settings.BARS_DIR), venue="bitfinex", symbol="BTC/USD"
    )
    tenant_id = opened("replay")

    call_command("run_engine", tenant="acme", exchange="replay")

    assert decided(tenant_id) == 50
