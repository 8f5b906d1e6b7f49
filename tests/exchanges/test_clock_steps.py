"""This machine's clock steps under an engine with real orders, and between two of its lives."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from tests.exchanges.street import LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.engine.watch import Rhythm
from trading.exchanges.kraken import sign

BARS = stormy_bars(5, 140)[:110]
NS = 1_000_000_000
HOUR = 3600.0
DAY = 24 * HOUR  # more than passes at this venue, whose time jumps, while a look is on its way
HOLD = ("BREAKER", "clock")
LOOKS = Rhythm(look=0.03, confirm=0.02)
WIRES = pytest.mark.parametrize("wire", [KRAKEN, KRAKEN_SOCKET, COINBASE], ids=lambda one: one.name)


@dataclass
class Wall:
    """The clock on this machine's wall, ahead of the truth by so much."""

    ahead: float = 0.0


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    stepped, true_ns = Wall(), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: true_ns() + int(stepped.ahead * NS))
    return stepped


@dataclass
class Stepping(LiveStreet):
    """``steps``: bar -> seconds ahead from then on; goes on when the engine has made up its mind."""

    steps: "dict[int, float] | None" = None
    wall: "Wall | None" = None

    async def _before_bar(self, number: int) -> None:
        assert self.wall is not None
        if number in (self.steps or {}):
            self.wall.ahead = (self.steps or {})[number]
            async with asyncio.timeout(20):
                while (HOLD in self.ledger.holds) != (abs(self.wall.ahead) > 2.0):
                    await asyncio.sleep(0.02)
        await super()._before_bar(number)


@WIRES
@pytest.mark.parametrize("step", [DAY, -DAY], ids=["forward", "back"])
async def test_a_stepped_clock_holds_entries_and_nothing_else(
    wire: Wire, step: float, wall: Wall
) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    entered = list[int]()
    street = Stepping(
        simulator,
        eager_params(with_limits=False),
        BARS,
        wire,
        rhythm=LOOKS,
        wall_ns=lambda: simulator.clock.now_ns() + int(wall.ahead * NS),
        before_bar=lambda _: entered.append(
            sum(one["side"] == "buy" for one in oracle(simulator, "order"))
        ),
        steps={30: step, 60: 0.0},
        wall=wall,
    )
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()

    assert entered[30] == entered[60], "it entered by a clock that is wrong"
    assert entered[-1] > entered[60], "it never entered again"
    assert len(street.ledger.decisions) == len(BARS)
    refused = [
        reason for reason in street.ledger.reasons if "late" in reason or "long ago" in reason
    ]
    assert not refused, "an order's deadline moved with the clock on the wall"
    check_books(simulator, street)  # which counts nonces that were refused


@pytest.mark.parametrize("wire", [KRAKEN, KRAKEN_SOCKET], ids=lambda one: one.name)
async def test_a_life_whose_clock_is_behind_the_last_ones_is_heard_at_once(
    wire: Wire, wall: Wall
) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS[:40], wire)
    try:
        wall.ahead = HOUR
        await asyncio.wait_for(street.run(), 60)
        before = len(oracle(simulator, "order"))
        wall.ahead, street.bars = 0.0, BARS
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    assert len(oracle(simulator, "order")) > before
    check_books(simulator, street)


def test_nonces_follow_another_lifes_only_where_the_clock_fell_back(wall: Wall) -> None:
    kept, clock_ns = sign.Nonces(), time.time_ns
    kept.take()
    wall.ahead = 1.0
    nonces = sign.Nonces()
    nonces.follow(kept.last)
    assert abs(nonces.take() - clock_ns()) < NS * 30

    wall.ahead = -HOUR
    nonces = sign.Nonces()
    nonces.follow(kept.last)
    assert nonces.take() == kept.last + sign.UNKEPT_NS + 1
