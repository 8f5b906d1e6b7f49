"""The command download_bars against the simulator: words, cards, exit codes, Ctrl-C."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.exchanges.past import SYMBOL, assert_same, listening, past_bars, venue_of
from trading.exchanges.kraken import rest as kraken_rest
from trading.exchanges.simulator.server import Simulator
from trading.marketdata.store import BarStore, SeriesKey
from trading.models import BarSeries, Instrument
from trading.wiring import downloads

pytestmark = pytest.mark.django_db

BARS = past_bars(800)
SINCE = ("--from", "2024-01-01")


@pytest.fixture
def store(tmp_path: Path, settings: Any) -> BarStore:
    """An empty store of this test's own."""
    settings.DATA_DIR, settings.BARS_DIR = tmp_path, tmp_path / "store"
    return BarStore(settings.BARS_DIR)


@pytest.fixture
def venue(store: BarStore, tmp_path: Path) -> Iterator[Simulator]:
    with listening(venue_of(BARS)) as venue:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "simulator.json").write_text(json.dumps({"port": venue.port}))
        yield venue


def run(*arguments: str, exchange: str = "simulator") -> str:
    out = StringIO()
    call_command("download_bars", "--exchange", exchange, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def fail(*arguments: str, exchange: str = "simulator") -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        run(*arguments, exchange=exchange)
    return caught.value.returncode, str(caught.value)


@pytest.mark.parametrize("exchange", ["simulator", "simulator_coinbase"])
def test_a_download_writes_the_cards_and_a_second_one_adds_nothing(
    venue: Simulator, store: BarStore, exchange: str
) -> None:
    first = json.loads(run("--pair", SYMBOL, *SINCE, "--json", exchange=exchange))["downloaded"][0]
    second = json.loads(run("--pair", SYMBOL, *SINCE, "--json", exchange=exchange))["downloaded"][0]

    series, instrument = BarSeries.objects.get(), Instrument.objects.get()
    assert_same(store.read(SeriesKey(exchange, SYMBOL, 60)), BARS[:-1])
    assert (first["added"], second["added"]) == (len(BARS) - 1, 0)
    assert (series.bars, series.sha256) == (len(BARS) - 1, second["series"]["sha256"])
    assert (instrument.venue, str(instrument.tick_size.normalize())) == (exchange, "0.1")
    assert str(instrument.lot_size.normalize()) == "0.0001"


def test_it_says_what_came_and_that_nothing_older_is_there(
    venue: Simulator, store: BarStore
) -> None:
    told = run("--pair", SYMBOL, "--from", "2023-06-01")

    assert told.startswith(f"BTC/USD 1m of simulator\n  store      {len(BARS) - 1} added")
    assert "note: nothing before 2024-01-01 00:00:00 UTC is there" in told


WRONG = [
    (("--pair", "BTC/CHF", *SINCE), 2, "Kraken does not list BTC/CHF; it lists BTC/EUR, BTC/USD"),
    (("--pair", SYMBOL, "--from", "2024-01-02"), 4, "no bar of this range has closed yet"),
    (("--pair", SYMBOL, *SINCE, "--to", "2023-12-31"), 4, "--to 2023-12-31: accepted is a day after"),
    (("--pair", SYMBOL, "--from", "2023-01-01", "--to", "2023-02-01"), 2, "has no trade in this range"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_what_cannot_be_had_is_one_sentence_and_an_exit_code(
    venue: Simulator, arguments: tuple[str, ...], code: int, words: str
) -> None:
    told = fail(*arguments)

    assert (told[0], words in told[1]) == (code, True), told[1]
    assert not BarSeries.objects.exists()


def test_a_timeframe_or_venue_that_is_none_is_refused(venue: Simulator) -> None:
    frame = fail("--pair", SYMBOL, *SINCE, "-i", "3m", exchange="simulator_coinbase")
    other = fail("--pair", SYMBOL, *SINCE, exchange="bitstamp")

    assert frame[0] == other[0] == 4
    assert "timeframe of 180 s: Coinbase has 1 m, 5 m" in frame[1]
    assert "exchange 'bitstamp': accepted is kraken, coinbase, simulator" in other[1]


def test_a_venue_that_is_down_is_told_and_nothing_is_lost(
    venue: Simulator, store: BarStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kraken_rest, "FIRST_PAUSE_SECONDS", 0.01)
    run("--pair", SYMBOL, *SINCE)
    (tmp_path / "run" / "simulator.json").write_text(json.dumps({"port": 1}))

    code, told = fail("--pair", SYMBOL, *SINCE)

    assert code == 1
    assert "simulator: Kraken cannot be reached" in told
    assert BarSeries.objects.get().bars == len(BARS) - 1


def test_ctrl_c_keeps_what_came_and_the_next_run_completes_it(
    venue: Simulator, store: BarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(downloads.APART_SECONDS, "simulator", 0.2)
    key = SeriesKey("simulator", SYMBOL, 180)

    def press() -> None:
        asked = venue.exchange.oracle
        while sum(one.get("method") == "Trades" for one in asked) < 8:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker may ignore it
    try:
        threading.Thread(target=press).start()
        code, told = fail("--pair", SYMBOL, *SINCE, "-i", "3m")
    finally:
        signal.signal(signal.SIGINT, before)
    half = store.read(key) if key in store.stored_keys() else ()
    monkeypatch.setitem(downloads.APART_SECONDS, "simulator", 0.0)
    run("--pair", SYMBOL, *SINCE, "-i", "3m")

    assert (code, told) == (1, "interrupted: what came is kept, run it again to go on")
    whole = store.read(key)
    assert 0 < len(half) < len(whole)
    assert half.tolist() == whole[: len(half)].tolist()
    assert len(whole) == len(set((BARS["open_ns"] // (180 * 10**9)).tolist())) - 1
