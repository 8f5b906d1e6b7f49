"""A hold about one pair's terms keeps that pair's entries back, and no other's."""

import asyncio
from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as some

from tests.core.play import plain
from tests.engine.fakes import Street, random_bars
from trading.core.codes import ExitReason, HoldBit, Purpose, Side
from trading.core.config.profiles import PROFILES
from trading.engine.guards import Guards
from trading.engine.messages import FeedChange, OrderRequest

SYMBOLS = ("BTC/USD", "ETH/USD", "BTC/USD")  # two bots on one pair
OF_PAIRS = {("DATA", f"{what}:{one}") for what in ("rules", "book") for one in SYMBOLS}
OF_ALL = {
    ("DATA", "rules"),
    ("DATA", "candles"),
    ("BREAKER", "rules:ETH/USD"),
    ("OPERATOR", "kill"),
}
HOLDS = sorted(OF_PAIRS | OF_ALL)


def order(market: int, purpose: Purpose) -> OrderRequest:
    return OrderRequest(
        market=market, seq=1, client_order_id="c", at_ns=1, purpose=purpose, side=Side.BUY,
        quantity_lots=1, price_ticks=0, expires_ns=0, replaces_seq=0, reason=ExitReason.NONE,
        deadline_ns=2**62,
    )  # fmt: skip


@given(some.sets(some.sampled_from(HOLDS)), some.sampled_from(range(len(SYMBOLS))))
def test_an_entry_waits_for_what_is_about_its_pair_or_about_all(
    holds: set[tuple[str, str]], market: int
) -> None:
    guards = Guards(tuple(holds), symbols=SYMBOLS)
    others = {one for one in OF_PAIRS if not one[1].endswith(f":{SYMBOLS[market]}")}

    binding = holds - others

    assert guards.allows(order(market, Purpose.ENTRY)) == (not binding)
    assert guards.bits_of(market) == sum({HoldBit[kind] for kind, _ in binding})
    assert guards.bits == sum({HoldBit[kind] for kind, _ in holds})


def test_exits_and_stops_wait_for_nothing() -> None:
    for some_ in chain.from_iterable(combinations(HOLDS, count) for count in (1, 3, len(HOLDS))):
        guards = Guards(some_, symbols=SYMBOLS)
        for purpose in (Purpose.EXIT, Purpose.PROTECT, Purpose.MOVE_STOP, Purpose.REDUCE):
            assert guards.allows(order(0, purpose))


def test_a_pair_that_is_delisted_lets_the_other_pair_of_the_engine_enter() -> None:
    bars = [random_bars(1, 900), random_bars(2, 900, price=50.0)]
    street = Street(bars, plain(PROFILES["active"]))
    news = street.venue.messages

    async def delisted(*, after_ns):
        yield FeedChange("rules:ETH/USD", is_up=False, reason="Kraken does not list ETH/USD")
        async for one in news(after_ns=after_ns):
            yield one

    street.venue.messages = delisted  # type: ignore[method-assign]
    asyncio.run(street.runner.run())

    assert street.ledger.holds == {("DATA", "rules:ETH/USD")}
    assert {fill.market for fill in street.ledger.fills} == {0}


def test_a_hold_about_a_pair_that_is_traded_no_more_is_lifted_at_the_start() -> None:
    """Nobody tells of its terms again; that about all pairs stays until somebody does."""
    street = Street([random_bars(1, 5)], plain(PROFILES["active"]))
    street.ledger.holds |= {("DATA", "rules:OLD/USD"), ("DATA", "rules:BTC/USD"), ("DATA", "rules")}

    asyncio.run(street.runner.run())

    assert street.ledger.holds == {("DATA", "rules:BTC/USD"), ("DATA", "rules")}
