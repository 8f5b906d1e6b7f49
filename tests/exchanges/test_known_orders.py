"""What may still arrive: a stop or sale without an answer, until the venue names it."""

import pytest

from tests.exchanges.test_odd_fees import entry
from trading.core.codes import Purpose, Side
from trading.engine.messages import OrderRequest
from trading.exchanges.known_orders import KnownOrders


def sale(purpose: Purpose, *, seq: int) -> OrderRequest:
    return OrderRequest(0, seq, f"c{seq}", 1, purpose, Side.SELL, 400, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("purpose", [Purpose.PROTECT, Purpose.EXIT, Purpose.REDUCE])
def test_what_has_no_answer_is_in_doubt_until_the_venue_names_it(purpose: Purpose) -> None:
    known = KnownOrders()
    order = sale(purpose, seq=4)
    known.expect(order)

    known.doubt(order)
    assert known.is_doubtful(0)
    assert not known.is_doubtful(1)

    assert known.find(venue_id="O4", client_id="c4") is not None
    assert not known.is_doubtful(0)


@pytest.mark.parametrize("purpose", [Purpose.PROTECT, Purpose.EXIT, Purpose.REDUCE])
def test_what_the_stream_named_before_its_answer_was_given_up_is_not_in_doubt(
    purpose: Purpose,
) -> None:
    known = KnownOrders()
    order = sale(purpose, seq=4)
    known.expect(order)
    known.find(venue_id="O4", client_id="c4")

    known.doubt(order)  # nobody would look it up, and nothing of its market be sold again

    assert not known.is_doubtful(0)


def test_an_entry_takes_nothing_from_what_is_held() -> None:
    known = KnownOrders()

    known.doubt(entry(400))

    assert not known.is_doubtful(0)
