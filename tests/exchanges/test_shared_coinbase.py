"""Coinbase's trades through a shared feed: the bars of a connection of one's own."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges.coinbase_wire import PRODUCT, Wire
from tests.exchanges.shared_street import served, values_of
from tests.exchanges.test_coinbase_feed import (
    BEGIN_S,
    FIRST_S,
    MINUTE_S,
    NS,
    OLD_MINUTES,
    OLDEST_S,
    Listener,
    WireTime,
    feed_of,
    trades_of,
)
from trading.exchanges import sockets, wire_feed
from trading.exchanges.coinbase.feed import CoinbaseFeed
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.shared import link as link_module
from trading.exchanges.shared.coinbase import CoinbaseDialect
from trading.exchanges.shared.link import Link, SharedRest, SharedStream
from trading.exchanges.shared.relay import Relay


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 0.6)
    monkeypatch.setattr(sockets, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(link_module, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(wire_feed, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(wire_feed, "RETRY_SECONDS", 0.05)
    made = Wire(now_s=float(BEGIN_S))
    for minute in range(-OLD_MINUTES, 1):
        made.trades += trades_of(FIRST_S + minute * MINUTE_S)
    made.trades = [trade for trade in made.trades if trade[0] <= BEGIN_S]
    await made.start()
    yield made
    await made.stop()


def relay_of(wire: Wire) -> Relay:
    clock = WireTime(wire)
    return Relay(
        venue="simulator_coinbase",
        stream_url=wire.ws_url,
        rest=CoinbaseRest(url=wire.rest_url, clock=clock),
        dialect=CoinbaseDialect(),
        clock=clock,
    )


def shared(wire: Wire, path: Path, **more: Any) -> CoinbaseFeed:
    link = Link(path, patience_seconds=1e9)
    return CoinbaseFeed(
        rest=SharedRest(link),
        ws_url="",
        listen=SharedStream(link).listen,
        symbols=["BTC/USD"],
        timeframe_ns=MINUTE_S * NS,
        clock=WireTime(wire),
        **more,
    )


async def test_it_tells_the_bars_and_prices_of_a_connection_of_ones_own(
    wire: Wire, tmp_path: Path
) -> None:
    path = tmp_path / "feed.sock"
    async with served(relay_of(wire), path) as relay:
        mine = Listener(wire, shared(wire, path, with_ticks=True))
        other = Listener(wire, shared(wire, path, with_ticks=True))
        own = Listener(wire, feed_of(wire, with_ticks=True))
        for listener in (mine, other, own):
            await listener.up()
        for _ in range(4):
            await mine.minute()
        await wire.drop()
        for listener in (mine, other, own):
            await listener.up()
        for _ in range(3):
            await mine.minute()
        for listener in (mine, other, own):
            await listener.end()

    mine.assert_whole(first_s=OLDEST_S, count=OLD_MINUTES + 7)
    assert values_of(mine.bars()) == values_of(other.bars()) == values_of(own.bars())
    assert relay.status().connections == 2
    assert relay.status().cut_off == 0


async def test_trades_under_an_alias_reach_who_asked_for_the_other_name(
    wire: Wire, tmp_path: Path
) -> None:
    wire.products = [dict(PRODUCT, alias="BTC-USDC")]
    path = tmp_path / "feed.sock"
    async with served(relay_of(wire), path):
        listener = Listener(wire, shared(wire, path))
        await listener.up()
        for _ in range(2):
            await listener.minute()
        await listener.end()

    assert [bar.open_ns // NS for bar in listener.bars()][-1] == FIRST_S + MINUTE_S
