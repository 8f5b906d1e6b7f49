"""An account's rows choose the adapter: Coinbase for bars, its simulated side for orders, too."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tenants import operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.exchanges.coinbase_account import NAME, SECRET, Account
from tests.exchanges.coinbase_wire import Wire
from tests.simulator_place import tell_port
from trading.engine.clock import SystemClock
from trading.engine.messages import BarClosed, FeedChange
from trading.marketdata.store import BarStore, SeriesKey
from trading.models import Bot
from trading.queries.bars import CannotFeed
from trading.wiring.feeds import venue_urls
from trading.wiring.keys import open_usable_key
from trading.wiring.plans import CannotRun, Plan, read_plan
from trading.wiring.streets import build_street

pytestmark = pytest.mark.django_db


def plan_of(venue: str, *, mode: str = "PAPER") -> Plan:
    rows = factories.make_engine("acme", factories.make_instrument(venue), venue=venue)
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.filter(id=rows.account_id).update(mode=mode)
        Bot.objects.filter(account_id=rows.account_id).update(stage=mode)
    return read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))


def seal(plan: Plan, secret: str) -> None:
    """Keep a key of the account; the streets of these tests are built within a loop."""
    with tenant_scope(plan.tenant_id):
        operations.seal_key(
            account_id=plan.account.id, key=NAME, secret=secret, actor=None, now=factories.NOW
        )


async def first_news(plan: Plan, wire: Wire) -> list[Any]:
    """What a street tells until its market and orders are heard and four bars have come."""
    street, heard = build_street(plan, speed=None, clock=SystemClock()), list[Any]()
    ups = {"candles"} if plan.account.mode == "PAPER" else {"candles", "orders"}
    async with asyncio.timeout(10), aclosing(street.venue.messages(after_ns={})) as messages:  # type: ignore[type-var]
        async for one in messages:
            heard.append(one)
            told = {one.channel for one in heard if isinstance(one, FeedChange) and one.is_up}
            if told >= ups and sum(isinstance(one, BarClosed) for one in heard) == 4:
                break
    await street.close()
    return heard


@pytest.mark.parametrize(
    ("venue", "mode"),
    [("coinbase", "PAPER"), ("simulator_coinbase", "PAPER"), ("simulator_coinbase", "LIVE")],
)
def test_the_adapter_is_chosen_by_the_venue(
    venue: str, mode: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.DATA_DIR, settings.RECORDED_DIR = tmp_path, tmp_path / "recorded"
    plan = plan_of(venue, mode=mode)
    if mode == "LIVE":
        seal(plan, SECRET)
        with tenant_scope(plan.tenant_id):
            opened = open_usable_key(plan.account.id)
        # Within the loop Django takes another connection, which sees nothing of this test's rows.
        monkeypatch.setattr("trading.wiring.streets.open_usable_key", lambda _: opened)

    async def play() -> tuple[list[Any], Account]:
        wire = Wire()
        await wire.start()
        tell_port(tmp_path, wire.port)
        settings.COINBASE_URLS = venue_urls("simulator_coinbase")
        begin = int(wire.now_s) // 60 * 60
        wire.trades = [(begin - 60.0 * n + 5, f"{30_000 + n}.1", "0.5") for n in range(4, 0, -1)]
        account = Account(wire)
        wire.now_s += 3
        try:
            return await first_news(plan, wire), account
        finally:
            await wire.stop()

    heard, account = asyncio.run(play())

    bars = [one for one in heard if isinstance(one, BarClosed)]
    assert [bar.close for bar in bars] == [30_004.1, 30_003.1, 30_002.1, 30_001.1]
    key = SeriesKey(venue, "BTC/USD", 60)
    stored = list(BarStore(settings.RECORDED_DIR).iter_bars(key, start_ns=0, end_ns=2**62))
    assert sum(len(part) for part in stored) == 4
    assert bool(account.tokens) == (mode == "LIVE")
    channels = {str(one["channel"]) for one in account.wire.subscribed}
    assert ("user" in channels) == (mode == "LIVE")


def test_real_orders_at_the_real_venue_are_refused() -> None:
    with pytest.raises(CannotRun, match="to the venue simulator only"):
        plan_of("coinbase", mode="LIVE")


def test_without_a_key_that_signs_it_is_one_sentence(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.RECORDED_DIR = tmp_path, tmp_path / "recorded"
    tell_port(tmp_path, 1)
    plan = plan_of("simulator_coinbase", mode="LIVE")

    with pytest.raises(CannotRun, match="the account has no key"):
        build_street(plan, speed=None, clock=SystemClock())
    seal(plan, "YnJva2VuIGtleQ==")
    with pytest.raises(CannotRun, match="has 10 bytes; an Ed25519 key has 32"):
        build_street(plan, speed=None, clock=SystemClock())


def test_a_timeframe_it_has_not_is_one_sentence(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.RECORDED_DIR = tmp_path, tmp_path
    tell_port(tmp_path, 1)
    plan = plan_of("simulator_coinbase")
    for market in plan.markets:
        market.revision.timeframe_seconds = 420

    with pytest.raises(CannotFeed, match="420 s: Coinbase has 1 m, 5 m"):
        build_street(plan, speed=None, clock=SystemClock())
