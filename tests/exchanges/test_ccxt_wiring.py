"""Accounts of ``ccxt:<id>``: on paper over its candles, never with orders; their bars by command."""

import asyncio
import json
from contextlib import aclosing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.exchanges.past import SYMBOL, assert_same, listening, past_bars, venue_of
from trading.engine.clock import SystemClock
from trading.engine.messages import BarClosed
from trading.exchanges.ccxt.client import CcxtClient, open_client
from trading.exchanges.simulator.server import Simulator
from trading.marketdata.store import BarStore, SeriesKey
from trading.models import Engine, Instrument
from trading.operations.accounts import ModeRefused, switch_mode
from trading.queries.bars import CannotFeed
from trading.wiring import downloads, feeds
from trading.wiring.plans import Plan, read_plan
from trading.wiring.streets import build_street

pytestmark = pytest.mark.django_db

BARS = past_bars(120)
VENUE = "ccxt:kraken"


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The simulator, to which ccxt's Kraken is directed."""

    def directed(name: str) -> CcxtClient:
        client = open_client(name)
        client.api.urls["api"] = dict.fromkeys(client.api.urls["api"], simulator.address)
        client.api.enableRateLimit = False
        return client

    with listening(venue_of(BARS)) as simulator:
        monkeypatch.setattr(feeds, "open_client", directed)
        monkeypatch.setattr(downloads, "open_client", directed)
        yield simulator


def plan_of(venue: str) -> Plan:
    rows = factories.make_engine("acme", factories.make_instrument(venue), venue=venue)
    return read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))


async def first_bars(plan: Plan, count: int) -> list[BarClosed]:
    street, heard = build_street(plan, speed=None, clock=SystemClock()), list[BarClosed]()
    async with asyncio.timeout(30), aclosing(street.venue.messages(after_ns={})) as messages:  # type: ignore[type-var]
        async for one in messages:
            if isinstance(one, BarClosed):
                heard.append(one)
            if len(heard) == count:
                break
    await street.close()
    return heard


def test_a_paper_engine_is_told_the_venues_bars_and_they_are_recorded(
    venue: Simulator, settings: Any, tmp_path: Path
) -> None:
    settings.RECORDED_DIR = tmp_path

    heard = asyncio.run(first_bars(plan_of(VENUE), 50))

    assert [bar.open_ns for bar in heard] == BARS["open_ns"][:50].tolist()
    recorded = BarStore(tmp_path).read(SeriesKey(VENUE, SYMBOL, 60))
    assert_same(recorded[:50], BARS[:50])


def test_bars_are_downloaded_by_the_same_name(
    venue: Simulator, settings: Any, tmp_path: Path
) -> None:
    settings.BARS_DIR, out = tmp_path, StringIO()

    call_command(
        "download_bars", "--exchange", VENUE, "--pair", SYMBOL, "--from", "2024-01-01", "--json",
        stdout=out,
    )  # fmt: skip

    assert json.loads(out.getvalue())["downloaded"][0]["added"] == len(BARS) - 1
    assert_same(BarStore(tmp_path).read(SeriesKey(VENUE, SYMBOL, 60)), BARS[:-1])
    assert Instrument.objects.get().venue == VENUE


def test_a_venue_that_ccxt_does_not_know_cannot_feed() -> None:
    with pytest.raises(CannotFeed, match="'ccxt:krakn': ccxt does not know it; near are kraken"):
        build_street(plan_of("ccxt:krakn"), speed=None, clock=SystemClock())


def test_such_an_account_stays_on_paper_by_words_and_by_the_database(settings: Any) -> None:
    settings.ALLOW_LIVE = True
    rows = factories.make_engine("acme", factories.make_instrument(VENUE), venue=VENUE)

    with tenant_scope(rows.tenant_id):
        Engine.objects.update(desired="STOPPED", observed="STOPPED")
        with pytest.raises(
            ModeRefused, match="stays on paper: through ccxt comes market data only"
        ):
            switch_mode(
                account_id=rows.account_id, mode="LIVE", override="I want to", actor=None,
                now=timezone.now(),
            )  # fmt: skip
        with pytest.raises(IntegrityError, match="account_by_ccxt_on_paper"), transaction.atomic():
            ExchangeAccount.objects.filter(id=rows.account_id).update(mode="LIVE")


@pytest.mark.parametrize("venue_name", ["binanse", "ccxt:", "ccxt:Bin ance", "CCXT:kraken"])
def test_what_is_no_venue_is_refused_by_name(venue_name: str) -> None:
    account = ExchangeAccount(venue=venue_name, label="Paper")

    with pytest.raises(ValidationError, match=r"accepted is kraken, .* or ccxt:<id>"):
        account.clean_fields(exclude=["tenant"])


def test_an_account_is_called_by_its_venue() -> None:
    assert str(ExchangeAccount(venue="ccxt:kucoin", label="Paper")) == "Paper (kucoin through ccxt)"
    assert str(ExchangeAccount(venue="kraken", label="Main")) == "Main (Kraken)"
