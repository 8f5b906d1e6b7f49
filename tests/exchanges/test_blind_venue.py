"""The stream of orders is down and stays down: what fills meanwhile is told soon all the same."""

from collections.abc import AsyncIterator

import pytest

from tests.exchanges.bench import WireBench, seat
from trading.chaos.wires import COINBASE, KRAKEN_SOCKET
from trading.core.codes import Purpose
from trading.engine.messages import FeedChange
from trading.exchanges.wire_venue import CHANNEL

NEVER = 3600.0


@pytest.fixture(params=[KRAKEN_SOCKET, COINBASE], ids=lambda wire: wire.name)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[WireBench]:
    async with seat(request.param) as made:
        made.venue._audit_seconds = NEVER
        await made.listen()
        yield made


def is_told_of_its_loss(bench: WireBench) -> bool:
    return any(isinstance(one, FeedChange) and one.channel == CHANNEL and not one.is_up
               for one in bench.heard)  # fmt: skip


def cut_off(bench: WireBench) -> None:
    """Every socket is closed, and no other comes up."""
    bench.arm("error", "GetWebSocketsToken", words="EService:Unavailable", times=1000)
    bench.simulator.coinbase.sockets.connections.public = 0
    bench.simulator.close_sockets()


async def test_a_fill_while_nobody_tells_is_asked_for(bench: WireBench, monkeypatch) -> None:
    """An entry without its stop would be naked until the stream is back, or the usual audit."""
    monkeypatch.setattr("trading.exchanges.wire_venue.BLIND_SECONDS", 0.02)
    await bench.submit(bench.order(Purpose.ENTRY, 400, price_ticks=bench.last_ticks - 50))
    cut_off(bench)
    await bench.until(lambda: is_told_of_its_loss(bench))

    bench.fill_resting()
    await bench.until(lambda: bench.filled == 400)

    assert [one.quantity_lots for one in bench.fills] == [400]


async def test_what_filled_as_the_stream_ended_is_asked_for_at_once(
    bench: WireBench, monkeypatch
) -> None:
    monkeypatch.setattr("trading.exchanges.wire_venue.BLIND_SECONDS", NEVER)
    await bench.submit(bench.order(Purpose.ENTRY, 400, price_ticks=bench.last_ticks - 50))
    cut_off(bench)
    bench.arm("drop", "executions", times=1000)
    bench.arm("drop", "user", times=1000)
    bench.fill_resting()

    await bench.until(lambda: bench.filled == 400)

    assert is_told_of_its_loss(bench)
