"""What an earlier leader planned is sent by who leads now, and only for as long as that is certain."""

import pytest

from tests.core.play import plain
from tests.engine.fakes import Street, random_bars
from tests.engine.test_late_evidence import EXIT
from trading.core.config.profiles import PROFILES
from trading.engine.batches import Evidence, Known, OpenIntent
from trading.engine.errors import NotLeader
from trading.engine.execution import SEND_WITHIN_NS
from trading.engine.handler import Handler
from trading.engine.messages import OrderRequest


class Takeover:
    """An engine that found an order which the venue never had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.street = Street([random_bars(1, 10)], plain(PROFILES["active"]))
        self.street.core.fund(10_000.0)
        runner = self.street.runner
        self.handler = Handler(core=self.street.core, ports=runner._ports, pace=runner._pace)
        self.street.ledger.intents[0, 7] = (EXIT, "PLANNED")
        self.handler.execution.adopt([OpenIntent(EXIT, "PLANNED")])
        self.sent: list[OrderRequest] = []

        async def submit(order: OrderRequest) -> str:
            self.sent.append(order)
            return "V7"

        monkeypatch.setattr(self.street.venue, "submit", submit)


async def test_it_is_sent_with_a_moment_after_which_it_is_too_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Takeover(monkeypatch)

    await one.handler.judge(EXIT, Evidence(Known.ABSENT))

    assert EXIT.send_by_ns == 0  # not journalled
    assert [order.send_by_ns for order in one.sent] == [one.handler.now_ns() + SEND_WITHIN_NS]


async def test_who_hung_while_the_venue_was_asked_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Takeover(monkeypatch)
    one.street.lease.held = False

    with pytest.raises(NotLeader):
        await one.handler.judge(EXIT, Evidence(Known.ABSENT))

    assert one.sent == []
