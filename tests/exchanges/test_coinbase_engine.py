"""An engine at a scripted Coinbase while things go wrong: orders once, fills once, never naked."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.core.play import plain
from tests.engine.fakes import random_bars
from tests.exchanges.coinbase_street import CoinbaseStreet, open_market
from tests.exchanges.street import purposes
from trading.core.codes import Purpose
from trading.core.config.profiles import PROFILES
from trading.exchanges import sockets
from trading.exchanges.coinbase import cancels, live

QUIET = plain(PROFILES["active"])
BUSY = replace(  # many moved stops, partial exits and stops that are hit
    QUIET,
    risk=replace(
        QUIET.risk,
        cooldown_bars=1,
        cooldown_bars_after_loss=2,
        account_cooldown_bars=0,
        min_reward_to_cost=1.0,
    ),
    exits=replace(
        QUIET.exits,
        tier_1=0.5,
        stop_scale=3.0,
        target_scale=2.0,
        trail_from=0.7,
        trail_distance=0.7,
    ),
    confluence=replace(QUIET.confluence, min_score=0.2, min_confidence=0.3, solo_confidence=0.35),
)
BARS = random_bars(65, 200)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day passes in seconds."""
    monkeypatch.setattr("trading.exchanges.wire_venue.AUDIT_SECONDS", 0.2)
    monkeypatch.setattr("trading.exchanges.wire_venue.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("trading.exchanges.coinbase.rest.FIRST_PAUSE_SECONDS", 0.002)
    monkeypatch.setattr(cancels, "CONFIRM_PAUSES", (0.001,) * 8)
    monkeypatch.setattr(live, "ASK_SECONDS", 0.005)
    monkeypatch.setattr(sockets, "FIRST_PAUSE_SECONDS", 0.02)


async def play(trouble: Any = None, *, bars: np.ndarray = BARS) -> CoinbaseStreet:
    """A day with this trouble."""
    market = await open_market(bars)
    street = CoinbaseStreet(market, BUSY, bars)
    if trouble is not None:
        street.before_bar = lambda number: trouble(market, number)
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await market.wire.stop()
    return street


async def test_a_day_without_trouble_trades_and_all_books_agree() -> None:
    street = await play()

    told = Counter(purposes(street))
    assert told[Purpose.ENTRY] >= 2
    assert told[Purpose.MOVE_STOP] >= 20
    assert told[Purpose.REDUCE] >= 2
    assert told[Purpose.PROTECT] >= told[Purpose.ENTRY]
    street.check_books()


FAULTS = [
    ("POST /orders", "lost"),
    ("POST /orders", "reply lost"),
    ("POST /orders", "503 afterwards"),
    ("POST /orders", "not json"),
    ("POST /orders", "429"),
    ("refuse", "INSUFFICIENT_FUND"),
    ("refuse", "ORDER_ENTRY_DISABLED"),
    ("POST /orders/batch_cancel", "lost"),
    ("POST /orders/batch_cancel", "reply lost"),
    ("POST /orders/batch_cancel", "429"),
    ("GET /orders/historical/fills", "503 afterwards"),
    ("GET /orders/historical/batch", "not json"),
]


@pytest.mark.parametrize("first", [0, 5])
async def test_whatever_fails_no_order_is_doubled_and_no_fill_lost(first: int) -> None:
    met: set[int] = set()

    def trouble(market: Any, number: int) -> None:
        if number % 5 == 0:
            which = (number // 5 + first) % len(FAULTS)
            where, what = FAULTS[which]
            market.faults[where] = [what]
            met.add(which)

    street = await play(trouble)

    assert len(met) == len(FAULTS)
    assert len(street.market.fills) >= 3
    street.check_books()


async def slow_and_late(market: Any, number: int) -> None:
    """Cancellations take long, lists lag, the channel repeats itself."""
    market.looks_until_cancelled = number % 6
    market.hides_fills = number % 3
    for order_id in list(market.orders)[-5:]:
        await market.say(order_id)


async def gaps_and_drops(market: Any, number: int) -> None:
    """Every so often a frame is missing or the connection goes, and all others come twice."""
    lost = [1] if number % 20 == 0 else []
    market.wire.spoil = lambda frame: (
        [] if frame["channel"] == "user" and lost and lost.pop() else [frame, frame]
    )
    if number % 33 == 0:
        await market.wire.drop()


@pytest.mark.parametrize("trouble", [slow_and_late, gaps_and_drops])
async def test_a_slow_or_broken_stream_loses_nothing(trouble: Any) -> None:
    street = await play(trouble)

    assert street.market.fills
    street.check_books()


@pytest.mark.parametrize("seed", range(2))
async def test_troubles_together(seed: int) -> None:
    rng = np.random.default_rng(seed)

    async def trouble(market: Any, number: int) -> None:
        await slow_and_late(market, int(rng.integers(30)))
        if number % 7 == 0:
            where, what = FAULTS[int(rng.integers(len(FAULTS)))]
            market.faults[where] = [what]
        if number % 60 == 0:
            await market.wire.drop()

    street = await play(trouble, bars=random_bars(3 * seed + 64, 200))

    street.check_books()


@pytest.mark.parametrize("seed", [67])
async def test_an_engine_that_dies_at_any_moment_is_followed_by_one_that_knows(seed: int) -> None:
    """A life ends in the middle of whatever it does; the next leader has the journal and the venue."""
    rng = np.random.default_rng(seed)
    bars = random_bars(seed, 200)
    market = await open_market(bars)
    street = CoinbaseStreet(market, BUSY, bars)
    deaths = 0
    try:
        while True:
            life = asyncio.create_task(street.run())
            await asyncio.wait({life}, timeout=float(rng.uniform(0.1, 1.0)) if deaths < 8 else 90)
            if life.done():
                life.result()
                break
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            deaths += 1
    finally:
        await market.wire.stop()

    assert deaths >= 3
    street.check_books()
