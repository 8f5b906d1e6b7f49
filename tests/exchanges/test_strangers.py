"""Orders of others, however odd: what is noted of them fits the journal, and they blind nobody."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges.street import open_simulator
from tests.exchanges.test_watch import BARS, entry, opened, place
from trading.engine.sights import Stranger
from trading.exchanges.strangers import read_stranger
from trading.models import ForeignOrder

ODD: list[Mapping[str, Any]] = [
    {"vol": "many"},
    {"vol": "NaN"},
    {"vol": "1e40"},
    {"descr": {"pair": "XBTUSD"}},
    {"descr": None},
    {"descr": {"pair": "P" * 40, "type": "exchange", "ordertype": "iceberg", "price": "best"}},
]


@given(name=st.text(), symbol=st.text(), side=st.text(), quantity=st.decimals(allow_nan=True))
def test_whatever_is_told_of_a_stranger_fits_its_row(
    name: str, symbol: str, side: str, quantity: Decimal
) -> None:
    told = read_stranger(name, lambda: (symbol, side, quantity))

    fields = {one.name: one for one in ForeignOrder._meta.get_fields()}
    for field, value in (("venue_order_id", told.venue_order_id), ("symbol", told.symbol),
                         ("side", told.side)):  # fmt: skip
        assert len(value) <= fields[field].max_length  # type: ignore[operator]
    assert told.quantity.is_finite()
    assert 0 <= told.quantity < 10 ** (38 - 18)


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_order_of_another_hides_neither_holdings_nor_our_own_orders(
    odd: Mapping[str, Any],
) -> None:
    simulator = await open_simulator(BARS)
    place(simulator, "sell", "0.5", "99999.9")
    desk = await opened(simulator)
    desk.last_prices[0] = Decimal(12_000)
    ours = await desk.submit(entry(100, price_ticks=100_000))
    read = desk.rest.read

    async def told_oddly(method: str, **asked: Any) -> Any:
        told = await read(method, **asked)
        if method == "OpenOrders":
            for name in told["open"].keys() - {ours}:
                told["open"][name] |= odd
        return told

    desk.rest.read = told_oddly  # type: ignore[method-assign]
    sight = await desk.look()

    assert [one.stands.venue_order_id for one in sight.resting] == [ours]
    assert sight.holdings["BTC"].total == 3
    (stranger,) = sight.strangers
    assert isinstance(stranger, Stranger)
    assert stranger.quantity in (0, Decimal("0.5"))
    await desk.rest.close()
    await simulator.stop()
