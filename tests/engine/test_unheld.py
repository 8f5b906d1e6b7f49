"""A sale the venue tells of what the books do not hold ends no engine: a person is told and must look."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.core.play import plain
from tests.engine.fakes import Street, random_bars
from trading.core.codes import ExitReason, Purpose, Side
from trading.core.config.profiles import PROFILES
from trading.engine.guards import OPERATOR, PAUSE
from trading.engine.handler import Handler
from trading.engine.messages import FillReport
from trading.engine.unheld import UNHELD, is_covered


def told(purpose: Purpose, lots: int, side: Side = Side.SELL, trade: str = "T1") -> FillReport:
    return FillReport(
        market=0, intent_seq=7, time_ns=1, purpose=int(purpose), side=int(side),
        quantity_lots=lots, price_ticks=1000, fee_units=5, liquidity=0,
        reason=int(ExitReason.STOP), final=1, venue_order_id="V7", venue_trade_id=trade,
    )  # fmt: skip


def desk(held: int) -> tuple[Street, Handler]:
    street = Street([random_bars(1, 10)], plain(PROFILES["active"]))
    street.core.fund(10_000.0)
    street.core.markets[0]["position"]["quantity_lots"] = held
    ports, pace = street.runner._ports, street.runner._pace
    return street, Handler(core=street.core, ports=ports, pace=pace)


@pytest.mark.parametrize("held", [0, 3])
async def test_it_is_not_booked_and_pauses_until_a_person_resumes(held: int) -> None:
    street, handler = desk(held)
    cash = float(street.core.account[0]["cash"])

    await handler.handle(told(Purpose.PROTECT, 4))

    assert street.ledger.fills == []
    assert street.ledger.holds == {(OPERATOR, PAUSE)}
    assert int(street.core.markets[0]["position"]["quantity_lots"]) == held
    assert float(street.core.account[0]["cash"]) == cash
    (alert,) = [value for key, value in street.sink.latest.items() if key.startswith("alert")]
    assert alert["cause"] == UNHELD
    for part in ("0.0004 BTC were sold at 100", f"hold {held and '0.0003'}", "T1", "V7", "resume"):
        assert part in alert["words"]


async def test_the_engine_goes_on_and_a_second_one_is_told_as_well() -> None:
    street, handler = desk(0)

    for trade in ("T1", "T2"):
        await handler.handle(told(Purpose.EXIT, 4, trade=trade))

    assert street.ledger.holds == {(OPERATOR, PAUSE)}
    (alert,) = [value for key, value in street.sink.latest.items() if key.startswith("alert")]
    assert "T2" in alert["words"]
    assert handler.guards.causes("BREAKER") == set()


@given(held=some.integers(-9, 9), lots=some.integers(0, 9), side=some.sampled_from([-1, 1]))
def test_what_is_covered_takes_a_position_towards_nothing_and_not_beyond(
    held: int, lots: int, side: int
) -> None:
    street, _ = desk(held)
    after = held + side * lots

    covered = is_covered(told(Purpose.EXIT, lots, Side(side)), street.core.markets[0])

    towards_nothing = lots == 0 or (held * after >= 0 and abs(after) < abs(held))
    assert covered == towards_nothing
    assert is_covered(told(Purpose.ENTRY, lots, Side(side)), street.core.markets[0])
