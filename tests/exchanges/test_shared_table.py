"""Engines of one host read a venue's table of pairs from its feed, none an older one than by themselves."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fakes import random_bars, spec
from tests.exchanges.shared_street import relay_of, served, unpacked
from tests.exchanges.street import GRID, ArrayBars, open_simulator, oracle
from trading.engine.messages import FeedChange, OrderRequest
from trading.exchanges import rules_watch
from trading.exchanges.coinbase.names import PRODUCTS
from trading.exchanges.kraken.names import TABLE
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.rules import Rules
from trading.exchanges.shared import table as table_module
from trading.exchanges.shared import words
from trading.exchanges.shared.answers import Answers
from trading.exchanges.shared.coinbase import CoinbaseDialect
from trading.exchanges.shared.dialect import YOUNG_SECONDS, NotShared
from trading.exchanges.shared.kraken import KrakenDialect
from trading.exchanges.shared.link import Link, SharedRest
from trading.exchanges.shared.table import SharedTable
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.tables import OwnTable
from trading.exchanges.venue_clock import VenueClock
from trading.wiring.shared_feeds import table_of

BARS = random_bars(2, 60)
SYMBOLS = ("BTC/USD",)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    made = await open_simulator(BARS)
    made.list_pair("ETH/USD", source=ArrayBars(random_bars(3, 60)), grid=GRID)
    yield made
    await made.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.sock"


def own_table(simulator: Simulator) -> OwnTable:
    return OwnTable(KrakenRest(url=simulator.address), TABLE)


def shared_table(path: Path, own: OwnTable) -> SharedTable:
    return SharedTable(SharedRest(Link(path, patience_seconds=float("inf"))), own=own)


def reads_of(simulator: Simulator) -> int:
    return Counter(event["method"] for event in oracle(simulator, "request"))[TABLE]


async def test_fifty_engines_read_the_venues_words_and_ask_it_once(
    simulator: Simulator, path: Path
) -> None:
    own = own_table(simulator)
    whole = await own.whole()
    tables = [shared_table(path, own) for _ in range(50)]

    async with served(relay_of(simulator), path):
        told = await asyncio.gather(*(table.rows(SYMBOLS) for table in tables))
        assert await tables[0].whole() == whole

    (mine,) = [key for key, row in whole.items() if row["wsname"] == "XBT/USD"]
    assert told == [{mine: whole[mine]}] * 50
    assert reads_of(simulator) == 2  # ours, and the feed's


async def test_without_a_feed_an_engine_reads_by_itself_until_there_is_one(
    simulator: Simulator, path: Path
) -> None:
    own = own_table(simulator)
    table = shared_table(path, own)

    alone = await table.rows(SYMBOLS)
    async with served(relay_of(simulator), path):
        together = await table.rows(SYMBOLS)
    after = await table.rows(SYMBOLS)

    assert (len(alone), len(together), len(after)) == (2, 1, 2)


@asynccontextmanager
async def answered(path: Path, answer: Callable[[], Awaitable[bytes]]) -> AsyncIterator[None]:
    """A feed of another make."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await words.hear_engine(reader)
        writer.write(await answer())

    server = await asyncio.start_unix_server(meet, path)
    yield
    server.close()


async def never() -> bytes:
    return await asyncio.get_running_loop().create_future()


async def without_age() -> bytes:
    return words.pack(words.Told({}))


async def old() -> bytes:
    return words.pack(words.Told({}, YOUNG_SECONDS + 1))


async def failed() -> bytes:
    return words.pack(words.Failed("NoAnswer", "Kraken answered HTTP 520"))


@pytest.mark.parametrize("answer", [never, without_age, old, failed])
async def test_what_is_old_late_or_missing_is_read_from_the_venue(
    simulator: Simulator, path: Path, answer: Callable[[], Awaitable[bytes]], monkeypatch
) -> None:
    monkeypatch.setattr(table_module, "YOUNG_SECONDS", 0.2 if answer is never else YOUNG_SECONDS)
    table = shared_table(path, own_table(simulator))

    async with answered(path, answer):
        told = await table.rows(SYMBOLS)

    assert "XBT/USD" in {row["wsname"] for row in told.values()}


class JumpingLoop(asyncio.SelectorEventLoop):
    """Whose time a test sets ahead."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Versions:
    """A venue whose table is another each time it is asked."""

    def __init__(self, loop: JumpingLoop) -> None:
        self.loop, self.asked_at = loop, list[float]()

    async def public(self, path: str, /, **params: Any) -> Any:
        self.asked_at.append(self.loop.time())
        row = {"wsname": "XBT/USD", "version": len(self.asked_at) - 1}
        return {"XXBTZUSD": row, "XETHZUSD": {**row, "wsname": "ETH/USD"}}

    async def close(self) -> None:
        return


@given(steps=st.lists(st.floats(0, 40), min_size=1, max_size=30))
def test_no_engine_is_told_an_old_table_and_the_venue_is_asked_seldom(steps: list[float]) -> None:
    loop = JumpingLoop()

    async def play() -> None:
        venue = Versions(loop)
        answers = Answers(rest=venue, dialect=KrakenDialect(), clock=VenueClock())
        ask, began = words.Ask(TABLE, {}, SYMBOLS), loop.time()
        for step in steps:
            loop.ahead += step
            now = loop.time()
            told = await unpacked(await answers.tell(ask))
            (row,) = told.answer.values()
            age = now - venue.asked_at[row["version"]]
            assert age <= min(told.age_seconds, YOUNG_SECONDS)
        assert len(venue.asked_at) <= 1 + (loop.time() - began) / YOUNG_SECONDS

    try:
        loop.run_until_complete(play())
    finally:
        loop.close()


async def test_a_change_a_mode_and_a_removal_are_heard_through_the_feed(
    simulator: Simulator, path: Path
) -> None:
    table = shared_table(path, own_table(simulator))
    markets = simulator.exchange.markets

    async def word(*, until: Callable[[], None]) -> str:
        until()
        rules = Rules(table, [spec()])
        async with served(relay_of(simulator), path):  # a new one has kept nothing
            return "; ".join(why for why in (await rules.reload()).values() if why)

    def coarsen() -> None:
        markets["BTC/USD"].grid = replace(GRID, tick_size=Decimal("0.5"))

    def close() -> None:
        markets["BTC/USD"].grid = GRID
        simulator.exchange.mode = "cancel_only"

    def remove() -> None:
        simulator.exchange.mode = "online"
        del markets["BTC/USD"]

    assert await word(until=lambda: None) == ""
    assert "0.5" in await word(until=coarsen)
    assert "'cancel_only'" in await word(until=close)
    assert "does not list BTC/USD" in await word(until=remove)


def test_rows_of_what_is_no_table_are_not_shared() -> None:
    listed = [{"base_currency_id": one, "quote_currency_id": "USD"} for one in ("BTC", "ETH")]

    assert CoinbaseDialect().rows({"products": listed}, SYMBOLS) == {"products": listed[:1]}
    for dialect in (KrakenDialect(), CoinbaseDialect()):
        with pytest.raises(NotShared, match="rows of symbols"):
            dialect.rows([1, 2], SYMBOLS)


async def test_on_terms_that_cannot_be_read_for_long_nothing_is_entered(monkeypatch) -> None:
    monkeypatch.setattr(rules_watch, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(rules_watch, "OLDEST_SECONDS", 0.1)
    told: list[FeedChange] = []

    class Silent:
        def fit(self, order: OrderRequest) -> OrderRequest:
            return order

        def verdicts(self) -> rules_watch.Whys:
            return {rules_watch.VENUE: ""}

        async def reload(self) -> rules_watch.Whys:
            if not told:
                raise KeyError("altname")
            return {rules_watch.VENUE: ""}

    task = asyncio.create_task(rules_watch.heed(Silent(), rules_watch.Verdicts(told.append)))
    async with asyncio.timeout(10):
        while len(told) < 2:
            await asyncio.sleep(0.01)
    task.cancel()

    assert [one.is_up for one in told[:2]] == [False, True]
    assert told[0].reason.startswith("the venue's terms could not be read for")


def test_an_engine_uses_the_feed_where_its_host_has_one(settings, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.SHARED_FEEDS = tmp_path, ("kraken",)
    own = OwnTable(KrakenRest(url="http://127.0.0.1:1"), TABLE)

    assert isinstance(table_of("kraken", own=own), SharedTable)
    assert table_of("coinbase", own=replace(own, path=PRODUCTS)) == replace(own, path=PRODUCTS)
