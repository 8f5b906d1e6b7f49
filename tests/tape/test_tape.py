"""The tape of an engine over memory: whole, torn, pruned, and every decision made again from it."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.play import plain
from tests.engine.fakes import Crash, MemoryLedger, Street, random_bars
from tests.engine.test_runner import CommandAt
from trading.core import explain
from trading.core.config.profiles import PROFILES
from trading.core.jit import CORE_HASH
from trading.engine.handler import Pace
from trading.engine.messages import StopChanged
from trading.engine.runner import Runner
from trading.engine.state import layout_hash
from trading.tape import recorder, segments
from trading.tape.entries import BarTold, CommandTold, ExitAsked, FillTold, OrderAnswered
from trading.tape.recorder import Owner, TapeLimits, TapeRecorder
from trading.tape.replay import NotOnTape, Wanted, rebuild
from trading.tape.taps import TapedCore, tap

ACTIVE = plain(PROFILES["active"])
PACE = Pace(decisions_per_commit=40, seconds_per_commit=1e9, command_poll_seconds=0.0)
WIDE = TapeLimits(most_bytes=1 << 30, days=1000)


class TapedStreet(Street):
    """An engine over arrays whose tape is kept."""

    def __init__(self, folder: Path, series, *, epoch=1, limits=WIDE, **options) -> None:
        super().__init__(series, ACTIVE, pace=PACE, **options)
        self.owner = Owner(
            engine_id="7a1f7f0e-6a3a-4b55-9a58-0d5a8f5f7c11",
            specs=tuple(self.specs),
            params=tuple(self.params),
            core_hash=CORE_HASH,
            layout_hash=layout_hash(),
            epoch=lambda: epoch,
            now_ns=lambda: 1_700_000_000_000_000_000,
        )
        self.tape = TapeRecorder(folder=folder, owner=self.owner, limits=limits)
        self.core = TapedCore(owner=self.owner, tape=self.tape)
        ports = tap(self.runner._ports, tape=self.tape, core=self.core)
        self.runner = Runner(core=self.core, ports=ports, pace=PACE)

    def run(self) -> "TapedStreet":
        try:
            asyncio.run(self.runner.run())
        except Crash:
            self.tape.close()  # what was noted and not written died with the process
        else:
            self.tape.close()
        return self


def wanted(street: Street, market: int, record: bytes) -> Wanted:
    spec = street.specs[market]
    open_ns = int(explain.read(record).decision["bar_open_ns"])
    return Wanted(spec.revision_id, spec.instrument_id, open_ns)


def assert_all_replay(folder: Path, street: Street, *, step: int = 1) -> None:
    for market, record in street.ledger.decisions[::step]:
        assert rebuild(folder, wanted(street, market, record), stored=record).record == record


def test_every_decision_of_two_markets_is_made_again_byte_for_byte(tmp_path) -> None:
    street = TapedStreet(tmp_path, [random_bars(1, 900), random_bars(2, 900, price=50.0)]).run()

    assert street.ledger.fills
    assert_all_replay(tmp_path, street, step=111)


def test_orders_of_people_and_their_holds_are_on_the_tape(tmp_path) -> None:
    bars = random_bars(1, 900)
    street = TapedStreet(tmp_path, [bars])
    CommandAt(street, {300: "CLOSE_ALL", 600: "RESUME"})

    street.run()

    entries = [
        e for p in segments.list_segments(tmp_path) for e in segments.read_segment(p).entries
    ]
    assert [e.told.kind for e in entries if isinstance(e, CommandTold)] == ["CLOSE_ALL", "RESUME"]
    assert {e.holds for e in entries if isinstance(e, BarTold)} == {0, 1}
    assert_all_replay(tmp_path, street, step=150)


@settings(max_examples=12, deadline=None)
@given(commit=st.integers(2, 14), before=st.booleans(), seed=st.integers(1, 5))
def test_no_death_between_tape_and_journal_costs_a_decision(
    tmp_path_factory, commit, before, seed
) -> None:
    folder = tmp_path_factory.mktemp("tape")
    series, ledger = [random_bars(seed, 500)], MemoryLedger()
    if before:
        ledger.crash_before = commit
    else:
        ledger.crash_after = commit
    TapedStreet(folder, series, ledger=ledger).run()

    second = TapedStreet(folder, series, ledger=ledger, epoch=2).run()

    assert len(ledger.decisions) == len(series[0])
    assert_all_replay(folder, second, step=99)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_torn_end_is_cut_and_all_before_it_can_be_read(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.mktemp("tape")
    TapedStreet(folder, [random_bars(3, 200)]).run()
    (path,) = segments.list_segments(folder)
    whole, raw = segments.read_segment(path), path.read_bytes()
    first = len(segments.MAGIC) + segments.FRAME.size
    first += segments.FRAME.unpack_from(raw, len(segments.MAGIC))[0]
    cut = data.draw(st.integers(first, len(raw) - 1))

    path.write_bytes(raw[:cut])
    torn = segments.read_segment(path)

    assert not whole.is_torn
    assert torn.entries == whole.entries[: len(torn.entries)]
    assert len(torn.entries) < len(whole.entries)


def test_a_flipped_bit_ends_what_is_believed(tmp_path) -> None:
    TapedStreet(tmp_path, [random_bars(3, 200)]).run()
    (path,) = segments.list_segments(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)

    assert segments.read_segment(path).is_torn


def test_the_oldest_segments_go_first_and_the_answer_says_what_is_missing(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(recorder, "SEGMENT_BYTES", 8_000)
    monkeypatch.setattr(recorder, "STARTS_PER_SEGMENT", 1)
    limits = TapeLimits(most_bytes=200_000, days=1000)
    street = TapedStreet(tmp_path, [random_bars(1, 1500)], limits=limits).run()
    (market, oldest), (_, newest) = street.ledger.decisions[0], street.ledger.decisions[-1]

    assert len(segments.list_segments(tmp_path)) > 1
    assert sum(p.stat().st_size for p in segments.list_segments(tmp_path)) <= limits.most_bytes
    assert rebuild(tmp_path, wanted(street, market, newest), stored=newest).record == newest
    with pytest.raises(NotOnTape, match="no longer reaches back"):
        rebuild(tmp_path, wanted(street, market, oldest), stored=oldest)


def test_segments_older_than_wanted_go_although_there_is_room(tmp_path) -> None:
    street = TapedStreet(tmp_path, [random_bars(1, 50)], limits=TapeLimits(1 << 30, 1)).run()
    (old,) = segments.list_segments(tmp_path)
    os.utime(old, ns=(1, 1))

    TapedStreet(tmp_path, [random_bars(1, 50)], ledger=street.ledger, epoch=2).run()

    assert old not in segments.list_segments(tmp_path)


def test_another_core_is_named_instead_of_replayed(tmp_path) -> None:
    street = TapedStreet(tmp_path, [random_bars(1, 50)])
    street.tape._owner = replace(street.owner, core_hash="f" * 64)
    street.run()
    market, record = street.ledger.decisions[-1]

    with pytest.raises(NotOnTape, match="core ffffffffffffffff decided"):
        rebuild(tmp_path, wanted(street, market, record), stored=record)


def test_a_tape_that_cannot_be_written_does_not_stop_the_engine(tmp_path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")

    street = TapedStreet(blocked, [random_bars(1, 300)]).run()

    assert len(street.ledger.decisions) == len(random_bars(1, 300))
    market, record = street.ledger.decisions[-1]
    with pytest.raises(NotOnTape, match="no tape here"):
        rebuild(blocked, wanted(street, market, record), stored=record)


def test_a_stop_that_was_changed_by_hand_is_on_the_tape(tmp_path) -> None:
    street = TapedStreet(tmp_path, [random_bars(1, 900)])
    told, changed = street.core.on_bar, list[int]()

    def tighten_once(bar, *, holds):
        position = street.core.markets[0]["position"]
        if position["stop_seq"] and not changed:
            changed.append(int(position["stop_ticks"]) + 20)
            assert street.core.on_stop(StopChanged(0, bar.open_ns, changed[0], True)) == []
        return told(bar, holds=holds)

    street.core.on_bar = tighten_once  # type: ignore[method-assign]
    street.run()

    assert changed
    assert_all_replay(tmp_path, street, step=37)


def test_fills_answers_and_exits_are_kept_too(tmp_path) -> None:
    street = TapedStreet(tmp_path, [random_bars(1, 900)])
    CommandAt(
        street, {bar: "CLOSE_ALL" for bar in (200, 400, 600)} | {300: "RESUME", 500: "RESUME"}
    )
    street.run()

    kinds = {
        type(entry)
        for path in segments.list_segments(tmp_path)
        for entry in segments.read_segment(path).entries
    }
    assert {FillTold, OrderAnswered} <= kinds
    assert ExitAsked in kinds
