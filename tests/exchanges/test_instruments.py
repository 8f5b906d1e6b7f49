"""A pair's terms change while an engine trades it: Kraken's stream tells, and they hold from then on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fakes import MINUTE_NS, spec
from tests.exchanges.bench import BARS, WireBench, seat
from tests.exchanges.shared_street import Ear, relay_of, served
from tests.exchanges.street import FUNDS, GRID, ArrayBars, SimulatedTime, open_simulator, oracle
from trading.chaos.wires import KEY, KRAKEN, KRAKEN_SOCKET, Close, uncounted
from trading.core.codes import Purpose
from trading.engine.errors import NotSent
from trading.engine.messages import FeedChange
from trading.engine.ports import MarketFeed
from trading.exchanges import rules_watch
from trading.exchanges.kraken import books, names, rules
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.instruments import Instruments
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.rules import Rules
from trading.exchanges.shared.link import Link, SharedRest, SharedStream
from trading.exchanges.simulator import door
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.wire_venue import WireVenue

FITS = names.Pair(
    "BTC/USD", "XXBTZUSD", "XBTUSD", "BTC", "USD", 1, spec().tick_size, spec().lot_size,
    Decimal("0.0001"), Decimal("0.5"), "online",
)  # fmt: skip
FIT = {rules_watch.VENUE: "", "BTC/USD": ""}
STATUSES = (
    "cancel_only", "post_only", "limit_only", "reduce_only", "maintenance", "work_in_progress",
    "delisted", "a word nobody knows",
)  # fmt: skip


def terms_of(bench: WireBench) -> list[FeedChange]:
    """What holds, and what lifts it."""
    changes = [one for one in bench.heard if isinstance(one, FeedChange)]
    terms = [one for one in changes if one.channel.startswith(rules_watch.CHANNEL)]
    held = {one.channel for one in terms if not one.is_up}
    return [one for one in terms if one.channel in held]


class Told:
    """A table that says what it is told to."""

    def __init__(self, status: str = "online") -> None:
        self.status = status

    async def whole(self) -> Any:
        return await self.rows(())

    async def rows(self, _: Any) -> Any:
        row = {"altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 4,
               "tick_size": "0.1", "ordermin": "0.0001", "costmin": "0.5",
               "status": self.status}  # fmt: skip
        return {"XXBTZUSD": row}


def heard_by(made: Rules, **row: Any) -> rules_watch.Whys | None:
    return made.hear([{"symbol": "BTC/USD", **row}])


@pytest.mark.parametrize("status", STATUSES)
def test_any_status_but_online_is_why_nothing_is_entered_until_it_is_back(status: str) -> None:
    made = Rules(Told(), [spec()], {"BTC/USD": FITS})

    assert heard_by(made, status="online") is None
    closed = f"BTC/USD is {status!r} at Kraken now; accepted is 'online'"
    assert heard_by(made, status=status) == {**FIT, "BTC/USD": closed}
    assert made.closed_by(0) == f"BTC/USD is {status!r}"
    assert heard_by(made, status=status) is None
    assert heard_by(made, status="online") == FIT
    assert made.closed_by(0) == ""


async def test_a_table_that_was_read_before_says_nothing_and_a_later_one_does(monkeypatch) -> None:
    table = Told()
    made = Rules(table, [spec()], {"BTC/USD": FITS})
    heard_by(made, status="cancel_only")

    assert "'cancel_only'" in (await made.reload())["BTC/USD"]  # the table still says online
    monkeypatch.setattr(rules, "NEWER_SECONDS", 0.0)
    assert await made.reload() == FIT
    table.status = "post_only"
    assert "'post_only'" in (await made.reload())["BTC/USD"]


async def test_a_pair_that_is_listed_again_is_no_longer_gone(monkeypatch) -> None:
    table = Told()
    made = Rules(table, [spec()], {"BTC/USD": FITS})

    async def nothing(_: Any) -> Any:
        return {}

    monkeypatch.setattr(table, "rows", nothing)
    assert "does not list BTC/USD" in (await made.reload())["BTC/USD"]
    assert made.closed_by(0) == "BTC/USD is not listed"
    assert heard_by(made, status="online") == FIT
    assert made.closed_by(0) == ""


@given(
    steps=st.lists(
        st.tuples(st.booleans(), st.sampled_from(["online", *STATUSES]), st.floats(0, 60)),
        max_size=30,
    )
)
def test_the_newest_word_counts_whoever_says_it(steps: list[tuple[bool, str, float]]) -> None:
    now = 1_000.0

    class Time:
        @staticmethod
        def monotonic() -> float:
            return now

    async def play() -> None:
        nonlocal now
        table = Told()
        made = Rules(table, [spec()], {"BTC/USD": FITS})
        word, heard_at = "online", float("-inf")
        for is_stream, status, seconds in steps:
            now += seconds
            if is_stream:
                heard_by(made, status=status)
                word, heard_at = status, now
            else:
                table.status = status
                why = (await made.reload())["BTC/USD"]
                if now - heard_at >= rules.NEWER_SECONDS:
                    word = status
                assert bool(why) == (word != "online")
            assert bool(made.closed_by(0)) == (word != "online")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "time", Time)
        asyncio.run(play())


@pytest.mark.parametrize("mode", ["cancel_only", "post_only", "maintenance"])
async def test_the_mode_of_the_whole_venue_is_heard_on_the_connection_of_orders(
    monkeypatch, mode: str
) -> None:
    monkeypatch.setattr(rules_watch, "LOOK_SECONDS", 3600.0)

    async with seat(KRAKEN_SOCKET) as bench:
        await bench.listen()
        await bench.protected()
        bench.simulator.exchange.mode = mode
        await bench.until(lambda: len(terms_of(bench)) == 1)
        with pytest.raises(NotSent, match=f"its stop stays, .* Kraken is in {mode} mode"):
            await bench.submit(bench.order(Purpose.EXIT, 400))
        (stop,) = bench.working
        bench.simulator.exchange.mode = "online"
        await bench.until(lambda: len(terms_of(bench)) == 2)
        await bench.submit(bench.order(Purpose.EXIT, 400))
        await bench.until(lambda: bench.filled == 800)

    assert stop.kind == "stop-loss"
    assert terms_of(bench)[0].reason == f"Kraken is in {mode} mode; accepted is 'online'"


def test_a_mode_holds_until_another_is_told_whatever_the_pairs_say() -> None:
    made = Rules(Told(), [spec()], {"BTC/USD": FITS})

    assert made.hear_mode({"data": [{"system": "online"}]}) is None
    closed = made.hear_mode({"data": [{"system": "cancel_only"}]})
    assert closed is not None
    assert "cancel_only" in closed[rules_watch.VENUE]
    assert closed["BTC/USD"] == ""
    for odd in ({}, {"data": []}, {"data": [1]}, {"data": [{}]}, {"data": {"system": "online"}}):
        assert made.hear_mode(odd) is None
    limited = heard_by(made, status="limit_only")
    assert limited is not None
    assert "cancel_only" in limited[rules_watch.VENUE]
    opened = made.hear_mode({"data": [{"system": "online"}]})
    assert opened is not None
    assert (opened[rules_watch.VENUE], "limit_only" in opened["BTC/USD"]) == ("", True)
    assert heard_by(made, status="online") == FIT


def test_what_cannot_be_read_or_is_nobodys_changes_nothing() -> None:
    made = Rules(Told(), [spec()], {"BTC/USD": FITS})

    for row in ({"price_increment": "NaN"}, {"qty_increment": 0}, {"qty_increment": "-1e-08"},
                {"price_precision": None}, {"qty_min": "much"}):  # fmt: skip
        assert heard_by(made, status="delisted", **row) is None
    assert made.hear([{"symbol": "ETH/USD", "status": "delisted"}, {}]) is None
    assert made.pairs == {"BTC/USD": FITS}


def test_steps_are_numbers_however_they_are_written() -> None:
    made = Rules(Told(), [spec()], {"BTC/USD": FITS})

    assert heard_by(made, qty_increment="1e-4", price_increment=0.1, cost_min=0.5) is None
    coarser = heard_by(made, price_increment="5E-1")
    assert coarser is not None
    assert "Kraken has tick 0.5 and lot 0.0001" in coarser["BTC/USD"]


@dataclass
class InstrumentBench(WireBench):
    """The bench with Kraken's own feed, by itself or through the feed of the host."""

    socket: Path | None = None

    def __post_init__(self) -> None:
        self.venue, self.hang_up = self._connect()

    def _connect(self) -> tuple[WireVenue, Close]:
        address = self.simulator.address
        rest = KrakenRest(url=address, key=KEY, secret=KRAKEN.secret, calls=uncounted())
        clock, told = SimulatedTime(self.simulator), Instruments()
        desk = KrakenDesk(rest=rest, specs=[self.market], clock=clock)
        feed = self._feed(told)
        url = f"{address.replace('http', 'ws', 1)}/v2/auth"

        async def close() -> None:
            await feed.close()
            await rest.close()

        return KrakenVenue(desk=desk, feed=feed, ws_url=url, instruments=told), close

    def _feed(self, told: Instruments) -> MarketFeed:
        given: dict[str, Any] = {"symbols": ["BTC/USD"], "timeframe_ns": MINUTE_NS,
                                 "with_ticks": True, "instruments": told}  # fmt: skip
        if self.socket is None:
            url = f"ws://127.0.0.1:{self.simulator.port}/v2"
            return KrakenFeed(rest=KrakenRest(url=self.simulator.address), ws_url=url, **given)
        link = Link(self.socket, patience_seconds=1e9)
        return KrakenFeed(
            rest=SharedRest(link), ws_url="", listen=SharedStream(link).listen, **given
        )

    @property
    def desk(self) -> KrakenDesk:
        desk = self.venue._desk
        assert isinstance(desk, KrakenDesk)
        return desk

    @property
    def said(self) -> list[FeedChange]:
        """What was told of the terms."""
        return terms_of(self)

    def change(self, **told: str) -> None:
        door.act(self.simulator.exchange, "pair", {"symbol": "BTC/USD", **told})

    async def told(self, count: int) -> FeedChange:
        await self.until(lambda: len(self.said) >= count)
        return self.said[-1]


@asynccontextmanager
async def bench_of(
    monkeypatch,
    tmp_path: Path,
    *,
    is_shared: bool,
    others: tuple[str, ...] = (),
) -> AsyncIterator[InstrumentBench]:
    """Listening; nobody reads the table again by himself."""
    monkeypatch.setattr(rules_watch, "LOOK_SECONDS", 3600.0)
    simulator = await open_simulator(BARS, wire=KRAKEN_SOCKET, funds=FUNDS)
    for symbol in others:
        simulator.list_pair(symbol, source=ArrayBars(BARS), grid=GRID)
    path = tmp_path / "feed.sock"
    async with served(relay_of(simulator), path):
        socket = path if is_shared else None
        bench = InstrumentBench("kraken", KRAKEN_SOCKET, simulator, spec(), socket=socket)
        await bench.listen()
        await bench.until(lambda: ("candles", True) in [
            (one.channel, one.is_up) for one in bench.heard if isinstance(one, FeedChange)
        ])  # fmt: skip
        bench.wait(1)
        await bench.until(lambda: 0 in bench.desk.last_prices)
        try:
            yield bench
        finally:
            await bench.leave()
    await simulator.stop()


@pytest.fixture(params=[False, True], ids=["own", "shared"])
async def bench(request: Any, monkeypatch, tmp_path: Path) -> AsyncIterator[InstrumentBench]:
    async with bench_of(monkeypatch, tmp_path, is_shared=request.param) as made:
        yield made


async def test_a_status_is_told_as_it_changes_and_as_it_is_back(bench: InstrumentBench) -> None:
    entry = bench.order(Purpose.ENTRY, 100)
    bench.change(status="cancel_only")
    closed = await bench.told(1)
    with pytest.raises(NotSent, match="nothing is entered now: BTC/USD is 'cancel_only'"):
        await bench.venue.submit(entry)
    bench.change(status="online")
    opened = await bench.told(2)
    await bench.bought()

    assert closed == FeedChange(
        "rules:BTC/USD", False, "BTC/USD is 'cancel_only' at Kraken now; accepted is 'online'"
    )
    assert (opened.is_up, len(bench.said)) == (True, 2)
    assert len(oracle(bench.simulator, "order")) == 1


async def test_from_a_coarser_tick_on_no_order_asks_for_the_old_one(
    bench: InstrumentBench,
) -> None:
    stop = await bench.protected()
    bench.change(tick_size="0.5")
    held = await bench.told(1)
    odd = stop.price_ticks + 503 - stop.price_ticks % 5
    await bench.desk.submit(bench.order(Purpose.MOVE_STOP, 400, price_ticks=odd))
    bench.change(tick_size="0.1")
    await bench.told(2)

    assert (held.is_up, bench.said[-1].is_up) == (False, True)
    assert held.reason.startswith("BTC/USD: Kraken has tick 0.5 and lot 0.0001, stored are 0.1")
    (moved,) = oracle(bench.simulator, "amend")
    assert Decimal(moved["price"]) == spec().tick_size * (odd - 3)


async def test_terms_that_change_while_an_order_waits_are_met(bench: InstrumentBench) -> None:
    bench.desk.purse.see({})  # it must ask, and the answer takes its time
    bench.arm("reply_late", "BalanceEx", seconds=0.5)
    price = bench.last_ticks - bench.last_ticks % 5 - 1002
    sending = asyncio.create_task(
        bench.venue.submit(bench.order(Purpose.ENTRY, 100, price_ticks=price))
    )
    await bench.until(lambda: bool(bench.simulator.exchange.faults.met))
    bench.change(tick_size="0.5")
    await bench.told(1)
    assert not sending.done()
    await sending

    (order,) = oracle(bench.simulator, "order")
    assert Decimal(order["price"]) == spec().tick_size * (price - 3)


async def test_after_another_connection_the_terms_of_then_hold(bench: InstrumentBench) -> None:
    bench.simulator.close_sockets()
    bench.change(status="post_only")

    assert "'post_only'" in (await bench.told(1)).reason


async def test_candles_come_where_terms_are_refused(tmp_path: Path) -> None:
    simulator, path = await open_simulator(BARS), tmp_path / "feed.sock"
    simulator.exchange.faults.arm(Fault("error", "subscribe", words="EService:Unavailable"))
    link = Link(path, patience_seconds=1e9)
    stream = SharedStream(link, symbols=["BTC/USD"], timeframe_ns=MINUTE_NS)
    feed = KrakenFeed(
        rest=SharedRest(link), ws_url="", listen=stream.listen, symbols=["BTC/USD"],
        timeframe_ns=MINUTE_NS, instruments=Instruments(),
    )  # fmt: skip
    async with served(relay_of(simulator), path) as relay:
        ear = Ear(feed)
        await ear.until(is_up=True)
        await ear.close()
        assert relay.status().connections == 1
    assert not simulator.exchange.faults.armed
    await simulator.stop()


async def test_one_connection_serves_every_engine_with_the_pairs_of_the_host_alone(
    monkeypatch, tmp_path: Path
) -> None:
    others = ("ETH/USD", "SOL/USD")
    async with bench_of(monkeypatch, tmp_path, is_shared=True, others=others) as bench:
        heard: list[str] = []
        late = InstrumentBench("late", KRAKEN_SOCKET, bench.simulator, spec(), socket=bench.socket)
        take = Instruments(lambda rows: heard.extend(str(row["symbol"]) for row in rows))
        feed = late._feed(take)
        feed._symbols = ("BTC/USD", "ETH/USD")  # type: ignore[attr-defined]

        async def listen() -> None:
            async for _ in feed.news(after_ns={}):
                pass

        listening = asyncio.create_task(listen())
        await bench.until(lambda: set(heard) == {"BTC/USD", "ETH/USD"})
        for symbol in others:
            door.act(bench.simulator.exchange, "pair", {"symbol": symbol, "status": "limit_only"})
        await bench.until(lambda: heard.count("ETH/USD") > 1)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await feed.close()
        await late.hang_up()

        assert "SOL/USD" not in heard
        public = [one for one in oracle(bench.simulator, "stream") if one["address"] == "/v2"]
        assert len(public) == 1
        assert bench.said == []


async def test_a_book_with_more_decimals_than_before_comes_again() -> None:
    from trading.exchanges.book_watch import BookWatch
    from trading.exchanges.books import Books
    from trading.exchanges.tables import OwnTable

    simulator = await open_simulator(BARS)
    kept, rest = Books(["BTC/USD"]), KrakenRest(url=simulator.address)
    time, pairs = SimulatedTime(simulator), dict[str, names.Pair]()
    table = OwnTable(rest, names.TABLE)
    watch = BookWatch(
        "Kraken", f"ws://127.0.0.1:{simulator.port}/v2", kept,
        lambda: books.KrakenBooks(table, kept, time, pairs), time, read=books.read_book,
    )  # fmt: skip
    keeping = asyncio.create_task(watch.run(lambda change: None))

    async def whole(*, is_so: bool) -> None:
        async with asyncio.timeout(20):
            while kept.is_whole is not is_so:
                simulator.clock.jump(simulator.clock.now_ns() + 1_000_000_000)
                await asyncio.sleep(0.03)

    await whole(is_so=True)
    market = simulator.exchange.markets["BTC/USD"]
    market.grid = replace(market.grid, tick_size=Decimal("0.01"))
    await whole(is_so=False)
    await whole(is_so=True)

    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await rest.close()
    await simulator.stop()


async def test_terms_come_on_a_connection_that_brings_candles_already(tmp_path: Path) -> None:
    simulator, path = await open_simulator(BARS), tmp_path / "feed.sock"
    heard: list[str] = []

    def feed(instruments: Instruments | None) -> KrakenFeed:
        link = Link(path, patience_seconds=1e9)
        return KrakenFeed(
            rest=SharedRest(link), ws_url="", listen=SharedStream(link).listen,
            symbols=["BTC/USD"], timeframe_ns=MINUTE_NS, instruments=instruments,
        )  # fmt: skip

    async with served(relay_of(simulator), path) as relay:
        plain = Ear(feed(None))
        await plain.until(is_up=True)
        live = Ear(feed(Instruments(lambda rows: heard.extend(str(one["status"]) for one in rows))))
        await live.until(is_up=True)
        async with asyncio.timeout(10):
            while heard != ["online"]:
                await asyncio.sleep(0.01)
        await plain.close()
        await live.close()
        assert (relay.status().connections, relay.status().topics) == (1, 3)
    await simulator.stop()
