"""A loop that is blocked: named, told, nothing entered on what was decided meanwhile, and lifted."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.engine.fakes import MemorySink
from tests.exchanges.street import LiveStreet, check_books, open_simulator, purposes
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.core.codes import Purpose
from trading.engine import lag
from trading.engine.messages import OrderRequest
from trading.engine.state import CoreState
from trading.engine.watch import Rhythm

BARS = stormy_bars(5, 140)[:90]
HOLD = ("BREAKER", lag.BLOCKED)
RHYTHM = Rhythm(look=0.05, confirm=0.02, most_lag=1.0)


@pytest.fixture(autouse=True)
def _soon_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(lag, "CALM_SECONDS", 0.5)


class Alerts(MemorySink):
    """Keeps every alert that was told."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: list[str] = []

    def publish(self, key: str, value: Mapping[str, Any]) -> None:
        super().publish(key, value)
        if key.startswith("alert"):
            self.alerts.append(str(value["words"]))


@dataclass
class WatchedStreet(LiveStreet):
    """Goes on to the next bar when no hold of the loop stands."""

    sink: Alerts = field(default_factory=Alerts)

    async def _before_bar(self, number: int) -> None:
        await super()._before_bar(number)
        await asyncio.sleep(0.06)  # so that the loop is looked at
        while HOLD in self.ledger.holds:
            await asyncio.sleep(0.02)

    @property
    def alert(self) -> str:
        """The one that names the function below; a busy machine may have others."""
        (found,) = {one for one in self.sink.alerts if "test_lag.a_slow_strategy:" in one}
        return found


async def play(street: LiveStreet) -> None:
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await street.simulator.stop()


def a_slow_strategy(seconds: float) -> None:
    time.sleep(seconds)


async def test_an_entry_decided_while_the_loop_stood_is_not_sent_and_the_next_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = list[OrderRequest]()
    decide = CoreState.on_bar

    def slowly(self: CoreState, bar: Any, *, holds: int) -> tuple[bytes, list[OrderRequest]]:
        record, orders = decide(self, bar, holds=holds)
        entries = [one for one in orders if one.purpose == Purpose.ENTRY]
        if entries and not late:
            late.extend(entries)
            a_slow_strategy(2.5)
        return record, orders

    monkeypatch.setattr(CoreState, "on_bar", slowly)
    simulator = await open_simulator(BARS)
    street = WatchedStreet(simulator, eager_params(with_limits=False), BARS, rhythm=RHYTHM)
    await play(street)

    (entry,) = late
    assert (entry.market, entry.seq) not in street.ledger.intents
    assert Purpose.ENTRY in purposes(street), "it never entered again"
    words = street.alert
    assert "the engine's loop stood still for" in words
    assert words.endswith(", handling a BarClosed of BTC/USD")
    assert HOLD not in street.ledger.holds
    check_books(simulator, street)


async def test_a_standstill_outside_of_the_engine_is_named_too() -> None:
    simulator = await open_simulator(BARS)

    def block(number: int) -> None:
        if number == 30:
            a_slow_strategy(2.0)

    street = WatchedStreet(
        simulator, eager_params(with_limits=False), BARS, rhythm=RHYTHM, before_bar=block
    )
    await play(street)

    assert "handling" not in street.alert
    assert HOLD not in street.ledger.holds
    check_books(simulator, street)
