"""A stop that is asked for anew is moved where one rests: the intent it stood for until then is over."""

import pytest

from tests.core.play import plain
from tests.engine.fakes import ManualClock, Street, random_bars
from trading.core.codes import ExitReason, Purpose, Side
from trading.core.config.profiles import PROFILES
from trading.engine.batches import OpenIntent
from trading.engine.execution import Execution, end_of
from trading.engine.messages import OrderRequest
from trading.engine.tempo import Tempo
from trading.exchanges.known_orders import KnownOrders

OPEN = {"PLANNED", "UNKNOWN", "WORKING"}


def stop(seq: int, *, market: int = 0) -> OrderRequest:
    return OrderRequest(
        market=market, seq=seq, client_order_id=f"c{seq}", at_ns=1, purpose=Purpose.PROTECT,
        side=Side.SELL, quantity_lots=400, price_ticks=900, expires_ns=0, replaces_seq=0,
        reason=ExitReason.STOP, deadline_ns=2**62,
    )  # fmt: skip


@pytest.fixture
def execution(monkeypatch: pytest.MonkeyPatch) -> Execution:
    """Of a venue that has one order for all stops of a market."""
    venue = Street([random_bars(1, 10)], plain(PROFILES["active"])).venue

    async def submit(order: OrderRequest) -> str:
        return f"V{order.market}"

    monkeypatch.setattr(venue, "submit", submit)
    return Execution(venue=venue, clock=ManualClock(), tempo=Tempo(ManualClock()))


async def test_the_intent_it_stood_for_has_ended(execution: Execution) -> None:
    execution.adopt([OpenIntent(stop(4), "WORKING", "V0")])
    execution.adopt([OpenIntent(stop(4, market=1), "WORKING", "V1")])
    execution.planned(stop(6))

    changes = await execution.send(stop(6), now_ns=1)

    assert [(one.seq, one.state) for one in changes] == [(6, "WORKING"), (4, "DONE")]
    assert execution.open() == [stop(6), stop(4, market=1)]


async def test_so_it_has_where_the_newer_one_was_first_heard_of_at_its_end(
    execution: Execution,
) -> None:
    execution.adopt([OpenIntent(stop(4), "WORKING", "V0"), OpenIntent(stop(6), "UNKNOWN")])

    changes = execution.report(end_of(stop(6), time_ns=2, venue_order_id="V0"))

    assert [(one.seq, one.state) for one in changes] == [(6, "DONE"), (4, "DONE")]
    assert execution.open() == []


@pytest.mark.parametrize("is_reversed", [False, True])
def test_who_leads_next_does_not_take_a_moved_stop_that_has_ended_for_one_that_rests(
    is_reversed: bool,
) -> None:
    intents = [OpenIntent(stop(6), "DONE", "V0"), OpenIntent(stop(4), "WORKING", "V0")]
    known = KnownOrders()

    known.adopt(reversed(intents) if is_reversed else intents, (), open_=OPEN)

    assert known.stop_of(0) is None
    assert known.working() == []
