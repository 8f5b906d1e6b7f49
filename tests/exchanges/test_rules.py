"""A venue changes its terms while an engine trades there: entries wait, stops and exits fit, it is lifted again."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fakes import spec
from tests.exchanges.street import GRID, LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.messages import FeedChange, OrderRequest
from trading.exchanges import rules_watch
from trading.exchanges.grids import fit
from trading.exchanges.rules_watch import CHANNEL
from trading.exchanges.simulator.market import PairMarket
from trading.exchanges.simulator.server import Simulator

BARS = stormy_bars(5, 140)[:120]  # buys in bars 35, 68 and 90 where nothing changes
FROM, UNTIL = 45, 80
ROADS = (KRAKEN, KRAKEN_SOCKET, COINBASE)
ALL = pytest.mark.parametrize("wire", ROADS, ids=[wire.name for wire in ROADS])
STEPS = st.sampled_from([Decimal(one) for one in ("0.0001", "0.001", "0.1", "0.25", "0.5", "1")])


@given(
    ticks=st.integers(1, 10**7),
    lots=st.integers(1, 10**7),
    side=st.sampled_from(list(Side)),
    purpose=st.sampled_from([Purpose.ENTRY, Purpose.PROTECT, Purpose.MOVE_STOP, Purpose.EXIT]),
    tick=STEPS,
    lot=STEPS,
)
def test_an_order_is_brought_onto_any_grid_and_never_asks_for_more(
    ticks: int, lots: int, side: Side, purpose: Purpose, tick: Decimal, lot: Decimal
) -> None:
    order = OrderRequest(0, 1, "id", 0, purpose, side, lots, ticks, 0, 0, ExitReason.NONE, 0)

    made = fit(order, spec(), tick_size=tick, lot_size=lot)

    assert made.price_ticks * spec().tick_size % tick == 0
    assert made.quantity_lots * spec().lot_size % lot == 0
    assert 0 <= made.quantity_lots <= lots
    is_later = made.price_ticks <= ticks if side is Side.SELL else made.price_ticks >= ticks
    assert is_later == (purpose in (Purpose.PROTECT, Purpose.MOVE_STOP)) or (
        made.price_ticks == ticks
    )


class Changing(LiveStreet):
    """Between two bars the venue has other terms, and is heard to say so."""

    until = UNTIL

    def change(self) -> None: ...

    def restore(self) -> None: ...

    async def _before_bar(self, number: int) -> None:
        if number == FROM:
            self.change()
        elif number == self.until:
            self.restore()
        if number in (FROM, self.until):
            await asyncio.sleep(0.3)  # of which the terms are read several times

    @property
    def traded(self) -> PairMarket:
        (market,) = self.simulator.exchange.markets.values()
        return market


class Regridded(Changing):
    def change(self) -> None:
        self.traded.grid = replace(GRID, tick_size=Decimal("0.5"))

    def restore(self) -> None:
        self.traded.grid = GRID


class Finer(Changing):
    until = len(BARS)  # to the end

    def change(self) -> None:
        self.traded.grid = replace(GRID, tick_size=Decimal("0.01"))


class Delisted(Changing):
    def change(self) -> None:
        self._rename("BTC/USD", "ETH/USD")

    def restore(self) -> None:
        self._rename("ETH/USD", "BTC/USD")

    def _rename(self, old: str, new: str) -> None:
        markets = self.simulator.exchange.markets
        markets[new] = markets.pop(old)
        markets[new].symbol = new


async def play(kind: type[Changing], wire: Wire, monkeypatch) -> tuple[Simulator, Changing]:
    monkeypatch.setattr(rules_watch, "LOOK_SECONDS", 0.03)
    simulator = await open_simulator(BARS, wire=wire)
    street = kind(simulator, eager_params(with_limits=False), BARS, wire)
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()
    return simulator, street


def bought(simulator: Simulator, first: int, last: int) -> int:
    """Buys between two bars."""
    low, high = (int(BARS["open_ns"][one]) for one in (first, last))
    buys = [one for one in oracle(simulator, "order") if one["side"] == "buy"]
    return sum(low < one["at_ns"] <= high for one in buys)


@ALL
async def test_on_another_grid_nothing_is_entered_and_what_protects_and_sells_fits(
    wire: Wire, monkeypatch
) -> None:
    simulator, street = await play(Regridded, wire, monkeypatch)

    assert [cause for _, cause in street.ledger.holds if cause.startswith(CHANNEL)] == []
    assert bought(simulator, 0, FROM)
    assert bought(simulator, UNTIL, len(BARS) - 1)
    assert bought(simulator, FROM, UNTIL) == 0
    low, high = (int(BARS["open_ns"][one]) for one in (FROM, UNTIL))
    acts = [one for kind in ("order", "amend") for one in oracle(simulator, kind)
            if low < one["at_ns"] <= high]  # fmt: skip
    assert acts
    priced = [Decimal(one["price"]) for one in acts if one["price"] != "None"]
    assert all(price % Decimal("0.5") == 0 for price in priced)
    check_books(simulator, street)


@ALL
async def test_on_a_finer_tick_than_ours_every_fill_is_booked_at_the_price_it_was_met(
    wire: Wire, monkeypatch
) -> None:
    simulator, street = await play(Finer, wire, monkeypatch)

    fills = [Decimal(one["price"]) for one in oracle(simulator, "fill")]
    assert any(price % spec().tick_size for price in fills)
    check_books(simulator, street)


class Coarsened(Changing):
    """What is held is less than a lot, and a person wants it sold."""

    until = 60  # before its stop, which rests all the while, would be met

    def change(self) -> None:
        self.traded.grid = replace(GRID, lot_size=Decimal(1), min_quantity=Decimal(1))
        assert self.core is not None
        assert self.core.request_exit(0, ExitReason.OPERATOR)

    def restore(self) -> None:
        self.traded.grid = GRID


@ALL
async def test_what_is_less_than_a_lot_is_asked_for_seldom_and_sold_once_it_can_be(
    wire: Wire, monkeypatch
) -> None:
    simulator, street = await play(Coarsened, wire, monkeypatch)

    restored_ns = int(BARS["open_ns"][Coarsened.until])
    asked = Counter(
        order.purpose for order, state in street.ledger.intents.values() if state == "REFUSED"
    )
    assert 2 <= asked[Purpose.EXIT] <= 24  # at 45 prices in fifteen minutes
    assert asked[Purpose.PROTECT] <= 20
    sold = [one["at_ns"] for one in oracle(simulator, "fill") if one["side"] == "sell"]
    assert restored_ns < sold[0] <= restored_ns + 120 * 1_000_000_000
    check_books(simulator, street)


class CancelOnly(Changing):
    mode = "cancel_only"

    def change(self) -> None:
        self.simulator.exchange.mode = self.mode

    def restore(self) -> None:
        self.simulator.exchange.mode = "online"


class PostOnly(CancelOnly):
    mode = "post_only"


class Maintenance(CancelOnly):
    mode = "maintenance"


CLOSED = [
    (KRAKEN, CancelOnly),
    (KRAKEN_SOCKET, PostOnly),
    (KRAKEN_SOCKET, Maintenance),
    (KRAKEN, Delisted),
    (COINBASE, CancelOnly),
    (COINBASE, PostOnly),
    (COINBASE, Maintenance),
    (COINBASE, Delisted),
]


@pytest.mark.parametrize(("wire", "kind"), CLOSED)
async def test_where_nothing_can_be_sold_nothing_is_bought_and_the_stop_stays(
    wire: Wire, kind: type[Changing], monkeypatch
) -> None:
    simulator, street = await play(kind, wire, monkeypatch)

    assert [cause for _, cause in street.ledger.holds if cause.startswith(CHANNEL)] == []
    assert bought(simulator, 0, FROM)
    assert bought(simulator, UNTIL, len(BARS) - 1)
    assert bought(simulator, FROM, UNTIL) == 0
    check_books(simulator, street)


@dataclass
class Answering:
    """Rules that were read with one verdict, and are read again with these."""

    first: rules_watch.Whys
    answers: list[rules_watch.Whys | Exception]
    last: rules_watch.Whys

    def fit(self, order: OrderRequest) -> OrderRequest:
        return order

    def verdicts(self) -> rules_watch.Whys:
        return self.first

    async def reload(self) -> rules_watch.Whys:
        answer = self.answers.pop(0) if self.answers else self.last
        if isinstance(answer, Exception):
            raise answer
        return answer


async def heeded(rules: Answering) -> list[tuple[bool, str]]:
    """What is told until all of it was read, and a while after."""
    told: list[FeedChange] = []
    task = asyncio.create_task(rules_watch.heed(rules, rules_watch.Verdicts(told.append)))
    async with asyncio.timeout(10):
        while rules.answers:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    return [(one.is_up, one.channel) for one in told]


async def test_terms_that_cannot_be_read_change_nothing(monkeypatch) -> None:
    monkeypatch.setattr(rules_watch, "LOOK_SECONDS", 0.01)
    shut, fits = {"ETH/USD": "", "BTC/USD": "is 'cancel_only'"}, {"ETH/USD": "", "BTC/USD": ""}
    odd: list[rules_watch.Whys | Exception] = [KeyError("altname"), ValueError("tick")]

    told = await heeded(Answering(fits, [*odd, shut, shut, fits], fits))

    assert told == [(True, "rules:ETH/USD"), (False, "rules:BTC/USD"), (True, "rules:BTC/USD")]


async def test_at_the_beginning_only_what_binds_is_told(monkeypatch) -> None:
    monkeypatch.setattr(rules_watch, "LOOK_SECONDS", 3600.0)
    first = {rules_watch.VENUE: "", "ETH/USD": "", "BTC/USD": "is 'cancel_only'"}

    assert await heeded(Answering(first, [], first)) == [(False, "rules:BTC/USD")]


def test_news_of_one_pair_does_not_lift_what_waits_for_terms_that_cannot_be_read() -> None:
    told: list[FeedChange] = []
    verdicts = rules_watch.Verdicts(told.append)

    verdicts.miss("the venue's terms could not be read for 180 s")
    verdicts.give({rules_watch.VENUE: "", "BTC/USD": ""})
    assert [(one.channel, one.is_up) for one in told] == [(CHANNEL, False), ("rules:BTC/USD", True)]

    verdicts.read({rules_watch.VENUE: "", "BTC/USD": ""})
    assert [(one.channel, one.is_up) for one in told[2:]] == [(CHANNEL, True)]
