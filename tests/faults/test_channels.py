"""An engine with real orders behind the feed of its host: what Kraken's channels tell is held for at once."""

import pytest

from tests.faults.processes import decisions, ended_afterwards, wait_for
from tests.faults.simulated import Venue
from tests.faults.test_shared_feed import start_feed
from tests.faults.test_wire import open_holds, rows_of, start_engine, workspace
from trading.models import Hold

pytestmark = pytest.mark.faults
AT_ONCE = 20.0  # by REST terms are read each 45 seconds, and the account is looked at each 60


def test_terms_and_withdrawals_are_held_for_within_seconds_and_lifted(
    environment: dict[str, str], venue: Venue
) -> None:
    rows, key = workspace("simulator", "LIVE", key=venue.key()), venue.key()["key"]
    feed = start_feed(environment)
    engine = start_engine(environment, "simulator")
    with ended_afterwards(engine, feed):
        wait_for(lambda: decisions(rows) > 500, "it has warmed up", seconds=180)
        wait_for(lambda: open_holds(rows) == set(), "nothing is held")

        venue.ask("/simulator/pair", {"symbol": "BTC/USD", "status": "cancel_only"})
        wait_for(lambda: open_holds(rows) == {"rules:BTC/USD"}, "its status holds", seconds=AT_ONCE)
        venue.ask("/simulator/pair", {"symbol": "BTC/USD", "status": "online"})
        wait_for(lambda: open_holds(rows) == set(), "its return lifts", seconds=AT_ONCE)

        drawn = {"key": key, "asset": "USD", "amount": "-1000000"}
        venue.ask("/simulator/move", drawn)
        wait_for(lambda: open_holds(rows) == {"drift:USD"}, "a draft holds", seconds=AT_ONCE)
        venue.ask("/simulator/move", {**drawn, "amount": "1000000"})
        wait_for(lambda: open_holds(rows) == set(), "a deposit lifts", seconds=AT_ONCE)
        assert engine.poll() is None

    told = {hold.cause: hold for hold in rows_of(rows, Hold)}
    assert told["rules:BTC/USD"].reason == (
        "BTC/USD is 'cancel_only' at Kraken now; accepted is 'online'"
    )
    assert told["drift:USD"].reason.startswith("USD: our books need ")
    streams = [e for e in venue.ask("/simulator/oracle")["oracle"] if e["kind"] == "stream"]
    assert len([one for one in streams if one["address"] == "/v2"]) == 2, "the feed's, and books"
