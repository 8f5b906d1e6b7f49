"""A volume that is really full: recording waits and entries with it; a tape and logs stop nobody."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.fakes import ArrayFeed, random_bars
from tests.exchanges.street import LiveStreet, check_books, open_simulator, oracle
from tests.tape.test_tape import TapedStreet
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.engine.messages import BarClosed, FeedChange
from trading.exchanges.recording import RecordingFeed
from trading.exchanges.unstored import CHANNEL, PatientStore, StoredOrHeldFeed
from trading.marketdata.store import BarStore, SeriesKey

KEY = SeriesKey("simulator", "BTC/USD", 60)
BARS = random_bars(3, 12)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of a few kilobytes; where none may be mounted there is nothing to try."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a volume")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(volume: Path) -> Path:
    """Take every byte that is left."""
    hog = volume / "hog"
    with hog.open("ab", buffering=0) as out, suppress(OSError):
        while out.write(bytes(512)):
            pass
    return hog


async def test_bars_that_cannot_be_stored_wait_and_entries_with_them(volume: Path) -> None:
    store, hog = PatientStore(volume / "bars"), volume / "hog"
    recording = RecordingFeed(ArrayFeed([BARS]), store=store, keys=[KEY])
    feed, heard = StoredOrHeldFeed(recording, store=store), list[Any]()

    async for told in feed.news(after_ns={}):
        heard.append(told)
        if isinstance(told, BarClosed):
            at = sum(isinstance(one, BarClosed) for one in heard)
            if at == 3:
                fill(volume)
            if at == 8:
                hog.unlink()

    changes = [(n, one) for n, one in enumerate(heard) if isinstance(one, FeedChange)]
    assert [(n, one.channel, one.is_up) for n, one in changes] == [
        (0, CHANNEL, True),
        (4, CHANNEL, False),
        (10, CHANNEL, True),
    ]
    assert "No space left on device" in changes[1][1].reason
    assert len(changes[1][1].reason) < 300
    assert BarStore(volume / "bars").read(KEY).tobytes() == BARS.tobytes()


async def test_what_waits_is_bounded_and_a_bar_told_again_wins(
    volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.exchanges.unstored.MOST_WAITING", 5)
    store = PatientStore(volume / "bars")
    hog = fill(volume)
    for bar in BARS[:10]:
        store.merge(KEY, np.array([bar]))
    again = BARS[9:10].copy()
    again["close"] += 1
    store.merge(KEY, again)
    assert "is not stored" in store.problem

    hog.unlink()
    store.merge(KEY, BARS[10:11])

    assert store.problem == ""
    assert store.read(KEY).tobytes() == np.concatenate([BARS[5:9], again, BARS[10:11]]).tobytes()


async def test_an_engine_that_holds_lives_through_a_full_volume_and_enters_again(
    volume: Path,
) -> None:
    bars = stormy_bars(5, 140)[:90]
    simulator = await open_simulator(bars)
    street = LiveStreet(simulator, eager_params(with_limits=False), bars)
    store = PatientStore(volume / "bars")
    held, entered = list[bool](), list[int]()

    def happen(number: int) -> None:
        held.append(("DATA", CHANNEL) in street.ledger.holds)
        entered.append(sum(one["side"] == "buy" for one in oracle(simulator, "order")))
        if number == 20:
            fill(volume)
        if number == 60:
            (volume / "hog").unlink()

    street.before_bar = happen
    street.around_feed = lambda feed: StoredOrHeldFeed(
        RecordingFeed(feed, store=store, keys=[KEY]), store=store
    )
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()

    assert held[:20] == [False] * 20
    assert all(held[23:60])
    assert not any(held[63:])
    assert entered[22] == entered[60]
    assert entered[-1] > entered[60]
    check_books(simulator, street)


def test_a_tape_on_a_full_volume_has_a_hole_and_every_decision_is_made(volume: Path) -> None:
    fill(volume)

    street = TapedStreet(volume / "tape", [random_bars(1, 300)]).run()

    assert len(street.ledger.decisions) == 300


LOGS = """
import logging, structlog
from novapulse.logs import configure
configure(level="INFO")
for number in range(2000):
    structlog.get_logger("engine").error("tape_not_written", number=number, why="x" * 100)
    logging.getLogger("other").warning("told %s", number)
print("alive")
"""


def test_logs_that_nobody_can_write_stop_nothing() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-c", LOGS], stdout=subprocess.PIPE, stderr=full, timeout=60
        )

    assert ended.stdout == b"alive\n"
