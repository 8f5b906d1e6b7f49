"""The venue's own log as the judge of what an engine with real orders did and wrote."""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.factories import EngineRows
from tests.faults.processes import wait_for
from tests.faults.simulated import Venue
from tests.faults.test_wire import FILL_NAMES, rows_of, told_by
from trading.models import Fill, OrderIntent

Log = Sequence[Mapping[str, Any]]


def assert_books_and_venue_agree(
    oracle: Log, rows: EngineRows, environment: dict[str, str], *, side: str
) -> None:
    """Nothing sent twice or without its intent, every fill booked, nothing unclear, all of it proven."""
    sent = [event["client_id"] for event in oracle if event["kind"] == "order"]
    intents = {str(one.client_order_id): one for one in rows_of(rows, OrderIntent)}
    assert len(sent) == len(set(sent)), "an order was sent twice"
    assert set(sent) <= intents.keys(), "an order whose intent was lost, or never committed"
    name = FILL_NAMES[side]
    theirs = {name(e["trade_id"]): Decimal(e["quantity"]) for e in oracle if e["kind"] == "fill"}
    assert {one.venue_trade_id: one.quantity for one in rows_of(rows, Fill)} == theirs
    assert theirs
    assert [one for one in intents.values() if one.state == "UNKNOWN"] == []
    (proof,) = told_by("prove_ledger", environment)
    assert (proof["differences"], proof["holds"]) == ([], True)
    assert told_by("verify_audit", environment)["whole"]


def assert_nothing_was_sent_while_it_was_down(oracle: Log, *, times: int) -> None:
    """Between the notes ``down`` and ``up``, which the test has written so many times."""
    is_down, meanwhile = False, []
    for event in oracle:
        if event["kind"] == "note":
            is_down = event["words"] == "down"
        elif is_down and event["kind"] == "order":
            meanwhile.append(event)
    assert sum(event["kind"] == "note" for event in oracle) == 2 * times
    assert meanwhile == []


def still_the_market(venue: Venue, rows: EngineRows) -> None:
    """Books are compared while nothing moves, nor is anything of them asked about."""

    def is_clear() -> bool:
        return not rows_of(rows, OrderIntent, state="UNKNOWN")

    wait_for(is_clear, "what the fault left unclear is settled", seconds=60)
    venue.ask("/simulator/freeze", {"on": True})
    wait_for(is_clear, "all is clear", seconds=60)
    time.sleep(2.0)


def tell_the_log(venue: Venue, words: str) -> None:
    """A note between the venue's own entries."""
    venue.ask("/simulator/note", {"words": words})
