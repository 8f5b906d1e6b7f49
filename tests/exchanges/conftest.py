"""The simulated Coinbase of a test, and its one customer."""

from collections.abc import AsyncIterator

import pytest

from tests.engine.fakes import random_bars
from tests.exchanges.coinbase_customer import Customer
from tests.exchanges.street import FUNDS, open_simulator
from trading.exchanges.simulator.coinbase_jwt import make_key
from trading.exchanges.simulator.server import Simulator

BARS = random_bars(1, 60)


@pytest.fixture
async def venue() -> AsyncIterator[Simulator]:
    made = await open_simulator(BARS)
    limits = made.coinbase.rest.limits
    limits.private = limits.public = 100_000
    made.coinbase.rest.desk.lag_seconds = 0.5  # a test says when it has passed
    yield made
    await made.stop()


@pytest.fixture
def customer(venue: Simulator) -> Customer:
    key = make_key()
    venue.coinbase.add_account(key=key.name, secret=key.secret, balances=FUNDS)
    return Customer(venue, key.name, key.secret)
