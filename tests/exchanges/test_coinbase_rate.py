"""Coinbase's rate of private requests as we keep it, held against what the simulated venue counts."""

import asyncio
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.bench import WireBench, seat
from tests.exchanges.street import oracle
from trading.chaos.wires import COINBASE
from trading.core.codes import Purpose
from trading.engine.errors import NotSent
from trading.exchanges.coinbase.call_rate import KEPT, LONGEST_SECONDS, MOST, CallRate, wait_seconds
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.errors import TOO_MANY, ApiError, NoAnswer, Unreached
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.simulator.coinbase_limits import Limits

NS = 1_000_000_000


@dataclass
class Wire:
    """Requests on their way to a venue that counts those of the last second, in a time of its own."""

    now: float = 0.0
    rate: CallRate = field(init=False)
    on_way: list[AbstractContextManager[None]] = field(default_factory=list)
    reached: list[AbstractContextManager[None]] = field(default_factory=list)
    counted: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rate = CallRate(now=lambda: self.now)

    def step(self, kind: str, seconds: float) -> None:
        if kind == "send" and self.rate.used < MOST:
            self.on_way.append(self.rate.asking())
            self.on_way[-1].__enter__()
        elif kind == "reach" and self.on_way:
            self.reached.append(self.on_way.pop(0))
            self.counted.append(self.now)
        elif kind == "answer" and self.reached:
            self.reached.pop(0).__exit__(None, None, None)
        elif kind == "lose" and self.reached:
            with suppress(NoAnswer):
                self.reached.pop().__exit__(NoAnswer, NoAnswer("lost"), None)
        elif kind == "pass":
            self.now += seconds

    @property
    def theirs(self) -> int:
        return sum(self.now - at < 1.0 for at in self.counted)


KINDS = ("send", "send", "send", "reach", "reach", "answer", "answer", "lose", "pass")
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.floats(0.01, 1.5)), max_size=200)


@settings(deadline=None)
@given(steps=STEPS)
def test_our_count_is_never_below_the_venues_whatever_the_wire_delays(
    steps: list[tuple[str, float]],
) -> None:
    wire = Wire()

    for step in steps:
        wire.step(*step)
        assert wire.theirs <= wire.rate.used <= MOST


def at_the_documented_rate(bench: WireBench) -> CoinbaseRest:
    """Both sides count as they do in earnest."""
    desk = bench.venue._desk
    assert isinstance(desk, CoinbaseDesk)
    desk.rest.calls = CallRate()
    bench.simulator.coinbase.rest.limits = Limits()
    return desk.rest


async def test_what_protects_does_not_wait_behind_reads_and_no_limit_is_met() -> None:
    async with seat(COINBASE) as bench:
        await bench.listen()
        await bench.bought(400)
        rest = at_the_documented_rate(bench)
        reads = [asyncio.create_task(rest.read("/accounts")) for _ in range(3 * MOST)]
        await asyncio.sleep(0)

        stop = bench.order(Purpose.PROTECT, 400, price_ticks=bench.last_ticks - 2000)
        await bench.submit(stop)
        moved = bench.order(Purpose.MOVE_STOP, 400, price_ticks=bench.last_ticks - 1500)
        await bench.submit(moved)

        assert not all(read.done() for read in reads)
        assert [one.stop for one in bench.working] == [bench.market.tick_size * moved.price_ticks]
        await asyncio.gather(*reads)
        assert oracle(bench.simulator, "too_many") == []


async def test_an_entry_gives_way_to_what_may_have_to_protect() -> None:
    async with seat(COINBASE) as bench:
        await bench.listen()
        rest = at_the_documented_rate(bench)
        asked = len(oracle(bench.simulator, "request"))
        for _ in range(MOST - KEPT):
            with rest.calls.asking():
                pass

        with pytest.raises(NotSent, match=f"of {MOST} requests of Coinbase's rate are used"):
            await bench.submit(bench.order(Purpose.ENTRY, 400))

        assert len(oracle(bench.simulator, "request")) == asked


async def test_a_refusal_for_the_rate_is_obeyed_as_long_as_the_venue_says() -> None:
    now = 100.0
    rate = CallRate(now=lambda: now)

    with pytest.raises(ApiError), rate.asking():
        raise ApiError("too many", status=TOO_MANY, wait_seconds=7.0)

    with pytest.raises(Unreached, match="wants no request for 7 s more"):
        await rate.wait_for_turn()
    with pytest.raises(Unreached, match="kept for protection"):
        rate.insist()
    now += 7.0
    await rate.wait_for_turn()
    rate.insist()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("9999", LONGEST_SECONDS), ("Sun, 22 Nov", 1.0)],
)
def test_how_long_to_wait_is_read_from_the_answer(told: str, seconds: float) -> None:
    assert wait_seconds({"retry-after": told}) == seconds
    assert wait_seconds({}) == 1.0


async def test_what_others_use_in_the_same_name_counts_until_a_second_has_passed() -> None:
    now = 100.0
    rate = CallRate(now=lambda: now)

    rate.hear({"x-ratelimit-remaining": "5"})
    assert rate.used == MOST - 5
    with pytest.raises(Unreached):
        rate.insist()
    rate.hear({"x-ratelimit-remaining": "no number"})
    assert rate.used == MOST - 5
    now += 1.0

    assert rate.used == 0


async def test_the_simulated_venue_refuses_what_is_too_much_and_says_for_how_long() -> None:
    async with seat(COINBASE) as bench:
        await bench.listen()
        rest = at_the_documented_rate(bench)
        rest.calls = CallRate(1_000)
        bench.simulator.coinbase.rest.limits = Limits(private=5, now_ns=lambda: 1)

        refused: list[ApiError] = []
        for _ in range(8):
            try:
                await rest._ask_signed("GET", "/accounts", params={})
            except ApiError as error:
                refused.append(error)
                break

        assert [(one.status, one.wait_seconds) for one in refused] == [(TOO_MANY, 1.0)]
        assert len(oracle(bench.simulator, "too_many")) == 1
        assert rest.calls.shut_seconds > 0


async def test_an_order_whose_time_passes_while_it_waits_for_a_turn_is_not_sent() -> None:
    async with seat(COINBASE) as bench:
        await bench.listen()
        await bench.bought(400)
        rest, passed = at_the_documented_rate(bench), [100.0]
        rest.calls = CallRate(now=lambda: passed[0])
        for _ in range(MOST):
            with rest.calls.asking():
                pass
        until_ns = bench.now_ns + 5 * NS
        stop = bench.order(
            Purpose.PROTECT, 400, price_ticks=bench.last_ticks - 2000, send_by_ns=until_ns
        )

        sending = asyncio.create_task(bench.submit(stop))
        await asyncio.sleep(0.05)
        bench.wait(6)
        passed[0] += 1.0
        with pytest.raises(NotSent, match="it would leave too late"):
            await sending

        assert [one["side"] for one in oracle(bench.simulator, "order")] == ["buy"]
