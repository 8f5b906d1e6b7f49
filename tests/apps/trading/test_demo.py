"""The demo: at the simulator without bars, the named file's bars with one, and nothing doubled."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tenants.models import ExchangeAccount, User
from tenants.scoping import tenant_scope
from tests import factories
from tests.engine.fakes import random_bars
from tests.marketdata.samples import make_bars, to_lines, write_csv
from trading.management.commands.run_simulator import remembered
from trading.marketdata.store import BarStore
from trading.models import BarSeries, Engine
from trading.wiring.directory import list_engines
from trading.wiring.keys import open_account_key


@pytest.fixture
def place(fresh_database, settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.BARS_DIR = tmp_path / "bars"
    settings.DEMO_BARS = None
    return tmp_path


def create() -> dict[str, str]:
    answer = StringIO()
    call_command("create_demo", json=True, stdout=answer)
    return json.loads(answer.getvalue())


def wanted() -> list[str]:
    return [engine.label for engine in list_engines() if engine.desired == "RUNNING"]


def test_without_bars_it_trades_at_the_simulator_and_keeps_the_sign_in_private(place) -> None:
    assert create()["venue"] == "simulator"

    file = place / "run" / "demo.txt"
    email, password = file.read_text().split()
    assert file.stat().st_mode & 0o777 == 0o600
    assert User.objects.get(email=email).check_password(password)
    assert wanted() == ["Demo BTC/USD"]


def test_it_comes_with_a_history_to_backtest_that_is_never_taken_for_real_bars(place) -> None:
    create()

    card = BarSeries.objects.get()
    assert (card.instrument.venue, card.instrument.symbol) == ("synthetic", "BTC/USD")
    assert 80_000 < card.bars <= 60 * 1440
    assert create()["venue"] == "simulator"


def test_a_second_time_changes_nothing(place) -> None:
    create()
    before = (place / "run" / "demo.txt").read_text()

    create()

    assert (place / "run" / "demo.txt").read_text() == before
    assert len(list_engines()) == 1


def test_the_named_file_is_replayed_also_where_a_longer_series_is_stored(place, settings) -> None:
    store = BarStore(settings.BARS_DIR)
    factories.store_bars(random_bars(1, 2000), store=store, venue="bitfinex", symbol="BTC/USD")
    lines = to_lines(make_bars(300))
    settings.DEMO_BARS = write_csv(place / "kraken_ETHUSD_1m.csv", lines)

    made = create()

    assert made["venue"] == "replay"
    assert wanted() == ["Demo ETH/USD of kraken"]


def test_bars_imported_later_take_the_simulators_place(place, settings) -> None:
    create()
    store = BarStore(settings.BARS_DIR)
    factories.store_bars(random_bars(1, 2000), store=store, venue="bitfinex", symbol="BTC/USD")

    create()

    assert wanted() == ["Demo BTC/USD of bitfinex"]
    with tenant_scope(list_engines()[0].tenant_id):
        assert Engine.objects.count() == 2


@pytest.mark.parametrize("venue", ["kraken", "coinbase"])
def test_a_real_venues_feed_is_traded_on_paper(place, settings, venue: str) -> None:
    settings.DEMO_MARKET = venue

    assert create()["venue"] == venue
    assert wanted() == ["Demo BTC/USD"]
    with tenant_scope(list_engines()[0].tenant_id):
        assert ExchangeAccount.objects.get(venue=venue).mode == "PAPER"


def test_a_named_file_that_is_not_there_is_told_in_one_sentence(place, settings) -> None:
    settings.DEMO_BARS = place / "absent.csv"

    with pytest.raises(CommandError, match=r"NOVA_DEMO_BARS: .*absent.csv is not a file"):
        create()


def sealed_key() -> tuple[str, int]:
    """(key, version) of the demo's account, as its engine opens it."""
    (engine,) = (one for one in list_engines() if one.desired == "RUNNING")
    with tenant_scope(engine.tenant_id):
        opened = open_account_key(Engine.objects.get(id=engine.engine_id).account_id)
    return opened.key.key, opened.version


def test_live_at_the_simulator_its_key_is_sealed_once_and_outlives_restarts(
    place, settings
) -> None:
    settings.DEMO_MARKET = "simulator_live"
    create()
    known = remembered(speed=1.0, start_s=None)  # what the simulator will start with
    assert sealed_key() == (known["key"], 1)

    remembered(speed=60.0, start_s=None)
    create()

    assert sealed_key() == (known["key"], 1)
    file = place / "run" / "simulator.json"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_simulator_that_lost_its_memory_gets_a_new_key_sealed(place, settings) -> None:
    settings.DEMO_MARKET = "simulator_live"
    create()
    former, _ = sealed_key()
    (place / "run" / "simulator.json").unlink()

    create()

    key, version = sealed_key()
    assert (key != former, version) == (True, 2)
