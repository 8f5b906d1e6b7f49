"""One pair of several is delisted or on another grid when an engine begins: the others are traded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.fakes import MINUTE_NS, spec
from tests.exchanges.street import GRID, LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.errors import CannotTrade, NotSent
from trading.engine.messages import BarClosed, FeedChange, MarketSpec, OrderRequest
from trading.exchanges import sockets, wire_feed
from trading.exchanges.coinbase import terms as coinbase_terms
from trading.exchanges.coinbase.feed import CoinbaseFeed
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import API_PATH
from trading.exchanges.kraken import terms as kraken_terms
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.venue_clock import VenueClock
from trading.exchanges.wire_feed import WireFeed

BARS = stormy_bars(5, 140)[:60]
ROADS = (KRAKEN, KRAKEN_SOCKET, COINBASE)
ALL = pytest.mark.parametrize("wire", ROADS, ids=[wire.name for wire in ROADS])


def other(symbol: str) -> MarketSpec:
    return replace(spec(), symbol=symbol, base=symbol.split("/")[0])


def list_pair(simulator: Simulator, symbol: str, **grid: Any) -> None:
    source = simulator.exchange.markets["BTC/USD"].source
    simulator.list_pair(symbol, source=source, grid=replace(GRID, **grid))


@ALL
async def test_the_other_pairs_are_traded_and_the_bad_ones_held(wire: Wire) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    list_pair(simulator, "ETH/USD", tick_size=Decimal("0.5"))
    bad = [other("OLD/USD"), other("ETH/USD")]
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, wire, others=bad)
    try:
        await asyncio.wait_for(street.run(), 60)
        stop = OrderRequest(
            1, 99, "c", 0, Purpose.PROTECT, Side.SELL, 1, 1, 0, 0, ExitReason.NONE, 0
        )
        with pytest.raises(NotSent, match="OLD/USD is not listed"):
            await street.desk.submit(street.desk.rules.fit(stop))
    finally:
        await simulator.stop()

    held = {cause for _, cause in street.ledger.holds if cause.startswith("rules")}
    assert held == {"rules:OLD/USD", "rules:ETH/USD"}
    assert {one["side"] for one in oracle(simulator, "order")} == {"buy", "sell"}
    check_books(simulator, street)


@ALL
async def test_without_any_listed_pair_it_refuses_in_one_sentence(wire: Wire) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    simulator.exchange.markets.clear()
    old = [other("OLD/USD")]
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, wire, others=old)
    try:
        with pytest.raises(CannotTrade, match=r"does not list BTC/USD$"):
            await asyncio.wait_for(street.run(), 30)
    finally:
        await simulator.stop()


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    monkeypatch.setattr(sockets, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(wire_feed, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(wire_feed, "RETRY_SECONDS", 0.1)
    made = await open_simulator(BARS)
    made.coinbase.rest.limits.public = 100_000
    yield made
    await made.stop()


def kraken(simulator: Simulator, symbols: list[str]) -> WireFeed:
    rest, socket = KrakenRest(url=simulator.address), f"ws://127.0.0.1:{simulator.port}/v2"
    return KrakenFeed(rest=rest, ws_url=socket, symbols=symbols, timeframe_ns=MINUTE_NS)


def coinbase(simulator: Simulator, symbols: list[str]) -> WireFeed:
    rest = CoinbaseRest(url=f"{simulator.address}{API_PATH}", clock=VenueClock())
    socket = f"ws://127.0.0.1:{simulator.port}/coinbase/ws"
    return CoinbaseFeed(rest=rest, ws_url=socket, symbols=symbols, timeframe_ns=MINUTE_NS)


Made = Callable[[Simulator, list[str]], WireFeed]
VENUES = pytest.mark.parametrize("made", [kraken, coinbase], ids=["kraken", "coinbase"])


async def hear(feed: WireFeed, simulator: Simulator, *, until: Callable[[Any], bool]) -> list[Any]:
    """What is told while the venue's time goes on, until something is."""

    async def go_on() -> None:
        while True:
            simulator.clock.jump(simulator.clock.now_ns() + MINUTE_NS // 4)
            await asyncio.sleep(0.05)

    going, heard = asyncio.create_task(go_on()), list[Any]()
    try:
        async with asyncio.timeout(30):
            async for one in feed.news(after_ns={}):
                heard.append(one)
                if until(one):
                    return heard
    finally:
        going.cancel()
    raise AssertionError("it ended")


@VENUES
async def test_candles_of_the_listed_pair_come_beside_one_that_is_not(
    simulator: Simulator, made: Made
) -> None:
    feed = made(simulator, ["OLD/USD", "BTC/USD"])

    heard = await hear(
        feed, simulator, until=lambda one: isinstance(one, BarClosed) and not one.late
    )
    old = await feed.history(market=0, before_ns=2**62, count=5)
    known = await feed.history(market=1, before_ns=2**62, count=5)
    await feed.close()

    assert {one.market for one in heard if isinstance(one, BarClosed)} == {1}
    assert (len(old), len(known) > 0) == (0, True)


async def test_a_pair_that_is_delisted_meanwhile_keeps_no_other_from_connecting_again(
    simulator: Simulator,
) -> None:
    list_pair(simulator, "ETH/USD")
    feed, changes = kraken(simulator, ["BTC/USD", "ETH/USD"]), list[bool]()

    def is_back(one: Any) -> bool:
        if isinstance(one, FeedChange):
            changes.append(one.is_up)
            if changes == [True]:
                del simulator.exchange.markets["ETH/USD"]
                simulator.close_sockets()
        return changes == [True, False, True] and isinstance(one, BarClosed) and not one.late

    heard = await hear(feed, simulator, until=is_back)
    await feed.close()

    assert heard[-1].market == 0


@pytest.mark.parametrize("venue", ["kraken", "coinbase"])
async def test_terms_are_of_the_pairs_that_can_be_entered(simulator: Simulator, venue: str) -> None:
    async def ask(*symbols: str) -> set[str]:
        if venue == "kraken":
            at_kraken = KrakenRest(url=simulator.address)
            told = await kraken_terms.ask_terms(at_kraken, symbols, simulator.clock.now_ns)
            await at_kraken.close()
        else:
            rest = CoinbaseRest(url=f"{simulator.address}{API_PATH}", clock=VenueClock())
            told = await coinbase_terms.ask_terms(rest, symbols, simulator.clock.now_ns)
            await rest.close()
        return set(told.of_symbol)

    assert await ask("OLD/USD", "BTC/USD") == {"BTC/USD"}
    with pytest.raises(CannotTrade, match=r"does not list OLD/USD$"):
        await ask("OLD/USD", "NEW/USD")
