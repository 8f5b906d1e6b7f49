"""Kraken's rate counters as we keep them, held against those of the simulated venue."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import random_bars
from tests.exchanges.bench import WireBench, seat
from tests.exchanges.street import KEY, SECRET, open_simulator, oracle
from trading.chaos.venue import new_simulator
from trading.chaos.wires import KRAKEN, KRAKEN_SOCKET, KRAKEN_SWITCH
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.errors import NotSent
from trading.engine.messages import OrderRequest
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken import kept_rates
from trading.exchanges.kraken.call_rate import KEPT, CallRate
from trading.exchanges.kraken.counters import CALLS, LATE_NS, TRADING, Counter, Limit, Tier
from trading.exchanges.kraken.errors import ApiError, NoAnswer
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.roads import CountedRoad
from trading.exchanges.kraken.trading_rate import TradingRate
from trading.exchanges.simulator.rules import Rejected, Wish
from trading.exchanges.simulator.server import Simulator

BARS = random_bars(1, 60)
BTC = "BTC/USD"
NS = 1_000_000_000
ENTRY, PROTECT, MOVE, EXIT = Purpose.ENTRY, Purpose.PROTECT, Purpose.MOVE_STOP, Purpose.EXIT
LOW = 40.0  # a threshold that a busy bot meets at once


@dataclass
class Request:
    """One that left: the venue gets it, and answers it, when a test says so."""

    act: Callable[[], str]
    answer: "asyncio.Future[str]"
    result: str | Exception | None = None
    lost_ns: int = 0

    def reach(self) -> None:
        try:
            self.result = self.act()
        except Rejected as error:
            self.result = ApiError(str(error))

    def return_(self) -> None:
        if isinstance(self.result, Exception):
            self.answer.set_exception(self.result)
        else:
            self.answer.set_result(str(self.result))


@dataclass
class SlowWire:
    """A road to the simulated venue, and the model that counts what goes over it."""

    venue: Simulator = field(default_factory=lambda: new_simulator(BARS, wire=KRAKEN))
    requests: list[Request] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = self.venue.exchange.accounts[KEY]
        self.account.balances |= {"USD": Decimal(10**9), "BTC": Decimal(10**6)}
        self.rate = TradingRate(symbols=[BTC], tier=Tier.STARTER, now_ns=self.venue.clock.now_ns)
        self.counted = CountedRoad(self, self.rate, lambda venue_id: BTC)

    async def add(self, params: Any, *, symbol: str) -> str:
        wish = Wish(BTC, "sell", "limit", Decimal("0.01"), Decimal(10**6))
        return await self._send(lambda: self._placed(wish))

    def _placed(self, wish: Wish) -> str:
        order = self.venue.exchange.place(self.account, wish)
        assert order is not None
        return order.order_id

    async def amend(self, venue_id: str, params: Any) -> None:
        order = self.account.orders[venue_id]
        await self._send(
            lambda: self.venue.exchange.amend(
                self.account, order, quantity=Decimal("0.02"), price=None
            )
        )

    async def cancel(self, venue_id: str) -> None:
        order = self.account.orders[venue_id]

        def act() -> str:
            self.venue.exchange.cancel(self.account, order, reason="asked")
            return ""

        await self._send(act)

    async def _send(self, act: Callable[[], str]) -> str:
        self.requests.append(Request(act, asyncio.get_running_loop().create_future()))
        return await self.requests[-1].answer

    async def begin(self, kind: str, which: int) -> None:
        """Send a request, without waiting for its answer."""

        async def ask() -> None:
            try:
                if kind == "add" or not self.known:
                    self.known.append(await self.counted.add({}, symbol=BTC))
                elif kind == "amend":
                    await self.counted.amend(self.known[which % len(self.known)], {})
                else:
                    await self.counted.cancel(self.known[which % len(self.known)])
            except (ApiError, NoAnswer):
                pass

        self.tasks.append(asyncio.create_task(ask()))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)

    async def step(self, kind: str, which: int, seconds: float) -> None:
        """One thing that can happen."""
        now_ns = self.venue.clock.now_ns()
        on_way = [one for one in self.requests if one.result is None]
        answered = [
            one for one in self.requests if one.result is not None and not one.answer.done()
        ]
        waiting = [one for one in self.requests if not one.answer.done()]
        if kind in ("add", "amend", "cancel"):
            await self.begin(kind, which)
        elif kind == "reach" and on_way:
            request = on_way[which % len(on_way)]
            if not request.lost_ns or now_ns <= request.lost_ns + LATE_NS:
                request.reach()
        elif kind == "answer" and answered:
            answered[which % len(answered)].return_()
        elif kind == "lose" and waiting:
            request = waiting[which % len(waiting)]
            request.lost_ns = now_ns
            request.answer.set_exception(NoAnswer("lost"))
        elif kind == "pass":
            self.venue.clock.jump(now_ns + int(seconds * NS))
        await self.settle()

    def check(self) -> None:
        """Ours is never below the venue's."""
        theirs = self.venue.exchange.counter(self.account, BTC).now(self.venue.clock.now_ns())
        assert self.rate.pairs[BTC].used >= theirs - 1e-6


KINDS = ("add", "add", "amend", "cancel", "reach", "reach", "answer", "answer", "lose", "pass")
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 5), st.floats(0.01, 20.0)), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_our_count_is_never_below_the_venues_whatever_the_wire_delays(
    steps: list[tuple[str, int, float]],
) -> None:
    async def play() -> None:
        wire = SlowWire()
        for step in steps:
            await wire.step(*step)
            wire.check()
        for task in wire.tasks:
            task.cancel()
        await asyncio.gather(*wire.tasks, return_exceptions=True)

    asyncio.run(play())


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from(("add", "amend")), late=st.floats(0, 9.9), after=st.floats(0, 20))
def test_what_was_given_up_and_comes_late_all_the_same_is_counted(
    kind: str, late: float, after: float
) -> None:
    async def play() -> None:
        wire = SlowWire()
        steps = [("add", 0.0), ("reach", 0.0), ("answer", 0.0), ("pass", 400.0)]
        steps += [(kind, 0.0), ("lose", 0.0), ("pass", late), ("reach", 0.0)]
        steps += [("pass", after), ("cancel", 0.0), ("reach", 0.0), ("answer", 0.0)]
        for what, seconds in steps:
            await wire.step(what, 0, seconds)
            wire.check()

    asyncio.run(play())


AGES = st.floats(0.0, 400.0)


@settings(max_examples=100, deadline=None)
@given(resting=AGES, amended=AGES)
def test_a_request_at_rest_costs_what_the_venue_takes(resting: float, amended: float) -> None:
    """With no delay the two are equal: not only never below, but never dearer either."""

    async def play() -> None:
        wire = SlowWire()

        async def do(kind: str) -> None:
            await wire.begin(kind, 0)
            wire.requests[-1].reach()
            wire.requests[-1].return_()
            await wire.settle()
            theirs = wire.venue.exchange.counter(wire.account, BTC).level
            assert wire.rate.pairs[BTC].used == pytest.approx(theirs)

        await do("add")
        await wire.step("pass", 0, resting)
        await do("amend")
        await wire.step("pass", 0, amended)
        await do("cancel")

    asyncio.run(play())


def entry(seq: int) -> OrderRequest:
    return OrderRequest(0, seq, f"{seq}", 0, ENTRY, Side.BUY, 10, 1000, 0, 0, ExitReason.NONE, 0)


@settings(max_examples=60, deadline=None)
@given(tier=st.sampled_from(Tier), markets=st.integers(1, 2), waits=st.lists(st.floats(0, 20)))
def test_what_is_kept_covers_everything_that_may_follow_the_entries_let_in(
    tier: Tier, markets: int, waits: list[float]
) -> None:
    """Every entry cancelled at once, and for each market a whole protection at its dearest."""
    limit, now_ns = TRADING[tier], 0
    rate = TradingRate(symbols=[BTC] * markets, tier=tier, now_ns=lambda: now_ns)
    resting: list[KnownOrder] = []
    for number, wait in enumerate([0.0, *waits]):
        now_ns += int(wait * NS)
        try:
            rate.check_entry(0, working=resting)
        except NotSent:
            continue
        with rate.asking(BTC, 1.0):
            resting.append(KnownOrder(entry(number), f"entry {number}"))
        rate.changed(resting[-1].venue_id)

    cancels = sum(rate.cancel_cost(one.venue_id) for one in resting)
    growth = 1 + 3 * 4 + (4 + 1)
    assert resting, "an empty counter lets one in"
    assert rate.pairs[BTC].used + cancels + growth + markets * (8 + 1) <= limit.most


def test_a_time_that_turns_out_to_be_another_goes_on_from_there() -> None:
    now_ns = 2_000_000 * NS
    counter = Counter(Limit(60.0, 1.0), now_ns=lambda: now_ns)
    with counter.asking(20.0, too_many=()):
        now_ns = 1_000_000 * NS  # the venue has spoken
    assert counter.used == 20.0

    now_ns += 15 * NS

    assert counter.used == 5.0


async def quote_and_protect(bench: WireBench, *, rounds: int = 30) -> tuple[list[str], list[str]]:
    """A position whose stop follows, and a bot beside it that quotes and takes back each second.

    What entries were told, and what stops and exits were told.
    """
    entries, protection = [], []

    async def attempt(order: Any, told: list[str]) -> bool:
        try:
            await bench.submit(order)
        except NotSent as error:
            told.append(str(error))
            return False
        return True

    async def held() -> None:
        await bench.bought(100)
        stop = bench.order(PROTECT, 100, price_ticks=bench.last_ticks - 5000)
        await attempt(stop, protection)

    await held()
    for number in range(rounds):
        bench.wait(1)
        quote = bench.order(ENTRY, 10, price_ticks=bench.last_ticks * 8 // 10)
        if await attempt(quote, entries):
            assert await bench.venue.cancel(market=0, seq=quote.seq)
        if number % 10 == 9:
            ticks = bench.last_ticks - 5000 + number
            await attempt(bench.order(MOVE, 100, price_ticks=ticks), protection)
    await attempt(bench.order(EXIT, 100), protection)
    return entries, protection


@pytest.fixture(params=[KRAKEN, KRAKEN_SOCKET, KRAKEN_SWITCH], ids=lambda wire: wire.name)
async def low(request: pytest.FixtureRequest) -> Any:
    """A seat at a venue that lets little through."""
    async with seat(request.param) as bench:
        bench.account.engine_most = LOW
        bench.venue._desk.caps.entries_per_minute = 1000  # type: ignore[attr-defined]
        await bench.listen()
        yield bench


async def test_a_busy_bot_never_meets_the_limit_with_a_stop_or_an_exit(low: WireBench) -> None:
    entries, protection = await quote_and_protect(low)

    assert protection == []
    assert low.account.engine[BTC].level <= LOW
    assert len(oracle(low.simulator, "order")) >= 6  # it quotes all the same
    told = entries[0]
    assert told.startswith("BTC/USD has used ")
    assert "of 40 of Kraken's trading rate; an entry needs 36 free, 27 of it kept" in told


async def test_without_the_model_the_same_bot_does(low: WireBench) -> None:
    low.venue._desk.rate.check_entry = lambda *given, **more: None  # type: ignore[attr-defined]

    _, protection = await quote_and_protect(low)

    assert "EOrder:Rate limit exceeded" in protection


async def test_the_venues_own_limit_is_taken_up(low: WireBench) -> None:
    assert low.venue._desk.rate.pairs[BTC].limit == Limit(LOW, 1.0)  # type: ignore[attr-defined]


async def test_a_tier_is_known_by_its_threshold() -> None:
    async with seat(KRAKEN_SOCKET) as bench:
        bench.account.engine_most = 180.0
        await bench.listen()

        assert bench.venue._desk.rate.pairs[BTC].limit == TRADING[Tier.PRO]  # type: ignore[attr-defined]


async def test_what_somebody_else_does_on_the_account_is_counted_too() -> None:
    async with seat(KRAKEN_SOCKET) as bench:
        await bench.listen()
        wish = Wish(BTC, "sell", "limit", Decimal("0.5"), Decimal("999999.9"), "mine")
        for _ in range(4):
            order = bench.simulator.exchange.place(bench.account, wish)
            bench.simulator.exchange.cancel(bench.account, order, reason="by hand")
        rate = bench.venue._desk.rate.pairs[BTC]  # type: ignore[attr-defined]
        await bench.until(lambda: rate.used >= 4 * 9)

        with pytest.raises(NotSent, match="has used 36 of 60"):
            await bench.venue.submit(bench.order(ENTRY, 10))


@pytest.mark.parametrize(
    "words", ["EOrder:Rate limit exceeded", "EOrder:Domain rate limit exceeded"]
)
async def test_a_refusal_tells_that_the_counter_is_full(words: str) -> None:
    async with seat(KRAKEN_SOCKET) as bench:
        await bench.listen()
        bench.arm("error", "add_order", words=words)
        with pytest.raises(NotSent, match=words):
            await bench.venue.submit(bench.order(ENTRY, 10))

        with pytest.raises(NotSent, match="there is room in 36 s"):
            await bench.venue.submit(bench.order(ENTRY, 10))
        bench.wait(36)
        await bench.venue.submit(bench.order(ENTRY, 10))


async def test_the_next_life_goes_on_from_where_the_counter_was(low: WireBench) -> None:
    await low.protected(100)
    quote = low.order(ENTRY, 10, price_ticks=low.last_ticks * 8 // 10)
    low.wait(60)
    await low.submit(quote)
    assert await low.venue.cancel(market=0, seq=quote.seq)
    del low.names[quote.seq]  # settled in the journal
    await low.end_life()

    await low.begin_life()

    assert low.venue._desk.rate.pairs[BTC].used >= low.account.engine[BTC].level == 9  # type: ignore[attr-defined]


async def test_an_order_that_an_earlier_life_may_have_sent_is_counted_at_its_dearest() -> None:
    async with seat(KRAKEN_SOCKET) as bench:
        await bench.listen()
        await bench.submit(bench.order(ENTRY, 10, price_ticks=bench.last_ticks * 8 // 10))
        await bench.end_life()

        await bench.begin_life()

        assert bench.venue._desk.rate.pairs[BTC].used == 1 + 9  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", [b"", b"[]", b'[{"limit_seq":0}]', b"{}"])
def test_what_another_kind_of_venue_kept_is_no_count(state: bytes) -> None:
    assert kept_rates.read_rates(state) is None


async def test_reads_wait_and_what_protects_does_not() -> None:
    simulator = await open_simulator(BARS)
    simulator.exchange.accounts[KEY].calls.most = 15
    clock = simulator.clock
    calls = CallRate(CALLS[Tier.STARTER], now_ns=clock.now_ns)
    rest = KrakenRest(url=simulator.address, key=KEY, secret=SECRET, calls=calls)

    reads = [asyncio.create_task(rest.read("Balance")) for _ in range(20)]
    reads += [asyncio.create_task(rest.read("Ledgers")) for _ in range(10)]
    await asyncio.sleep(0.3)
    assert 15 - KEPT - 1 <= calls.counter.used <= 15 - KEPT
    for _ in range(int(KEPT)):
        await rest.act("CancelAllOrdersAfter", timeout=0)
    while not all(read.done() for read in reads):
        clock.jump(clock.now_ns() + 10 * NS)
        await asyncio.sleep(0.1)

    assert [read.exception() for read in reads] == [None] * 30
    await rest.close()
    await simulator.stop()


async def test_an_entry_waits_for_no_call_but_is_not_sent() -> None:
    async with seat(KRAKEN_SWITCH) as bench:
        await bench.listen()
        calls = bench.venue._desk.rest.calls  # type: ignore[attr-defined]
        calls.counter.change(Limit(15.0, 0.33))
        calls.counter.be_at_least(11.0)

        with pytest.raises(
            NotSent, match=r"11 of 15 calls of Kraken's rate are used and 4 are kept"
        ):
            await bench.venue.submit(bench.order(ENTRY, 10, price_ticks=bench.last_ticks * 8 // 10))
        assert oracle(bench.simulator, "order") == []
