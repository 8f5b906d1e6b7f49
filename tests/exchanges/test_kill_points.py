"""An engine dies at each named point of an order's life; the next one ends with the venue's own books."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.exchanges.street import LiveStreet, check_books, open_simulator, oracle
from tests.exchanges.test_half_open import OUT, Proxy
from trading.chaos.perils import Peril
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, Wire
from trading.core.codes import ExitReason

BARS = stormy_bars(5, 140)[:64]  # an entry in bar 35, whose stop is moved
EXIT_FROM = 50  # a person wants out
ROADS = (KRAKEN_SOCKET, COINBASE)
POINTS = (
    ("K0", "before_commit", 1),
    ("K2", "after_commit", 1),
    ("K3", "in_flight", 1),
    ("K4", "after_answer", 1),
    ("K7", "before_news_commit", 1),
    ("K8", "after_news_commit", 1),
    ("K9", "stop_in_flight", 1),
    ("K9", "after_stop", 1),
    ("K10", "move_in_flight", 1),
    ("K10", "after_move", 1),
    ("K11", "before_exit", 1),
    ("K12", "exit_in_flight", 1),
    ("K12", "after_exit", 1),
    ("K13", "before_sale_commit", 1),
    ("K16", "before_adopt", 1),
    ("K16", "after_resume", 1),
)


class Died(BaseException):
    """The process is gone."""


@dataclass
class Mortal(Peril):
    """Ends one life within this process: nothing of it is written or sent any more."""

    life: "asyncio.Task[Any] | None" = None
    has_struck: bool = field(default=False)

    def meet(self, point: str) -> None:
        super().meet(point)
        if self.has_struck:
            raise Died(point)

    def strike(self) -> None:
        assert self.life is not None
        self.has_struck = True
        self.life.cancel()


async def live_until(street: LiveStreet, point: str, nth: int) -> None:
    """One life that ends at a point; fails where it does not."""
    peril = Mortal(point, nth)
    street.around = peril.around
    peril.life = asyncio.create_task(street.run())
    await asyncio.wait({peril.life}, timeout=60)
    street.around = lambda ports: ports
    if peril.life.done() and not peril.life.cancelled() and not peril.has_struck:
        peril.life.result()
    assert peril.has_struck, f"{point} was never met"


class Cutting(Proxy):
    """Passes half of the n-th request to a path, and then nobody is there any more."""

    path, nth = b"", 0
    strike: Callable[[], None]

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        while data := await reader.read(65536):
            self.nth -= direction == OUT and data.startswith(b"POST " + self.path + b" ")
            if self.nth == 0:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                self.nth = -1
                self.strike()
                break
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.mark.parametrize("nth", [1, 2], ids=["an entry", "its stop"])
@pytest.mark.parametrize(
    ("wire", "path"),
    [(KRAKEN, b"/0/private/AddOrder"), (COINBASE, b"/api/v3/brokerage/orders")],
    ids=["kraken", "coinbase"],
)
async def test_half_a_request_is_none_and_the_next_life_finds_that_out(
    wire: Wire, path: bytes, nth: int
) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    proxy, peril = Cutting(simulator.port), Mortal("", 0)
    proxy.path, proxy.nth, proxy.strike = path, nth, peril.strike
    await proxy.start()
    through = replace(
        wire, connect=lambda **given: wire.connect(**{**given, "address": proxy.address})
    )
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, through)
    try:
        peril.life = asyncio.create_task(street.run())
        await asyncio.wait({peril.life}, timeout=60)
        assert peril.has_struck
        await asyncio.wait_for(street.run(), 60)
    finally:
        await proxy.stop()
        await simulator.stop()
    order, state = list(street.ledger.intents.values())[nth - 1]
    assert state == "EXPIRED"
    assert order.client_order_id not in {one["client_id"] for one in oracle(simulator, "order")}
    assert oracle(simulator, "fill")
    check_books(simulator, street)


async def play(wire: Wire, deaths: tuple[tuple[str, int], ...]) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    street = LiveStreet(simulator, eager_params(with_limits=False), BARS, wire)

    def leave(number: int) -> None:
        if number >= EXIT_FROM and street.core is not None:
            street.core.request_exit(0, ExitReason.OPERATOR)

    street.before_bar = leave
    try:
        for point, nth in deaths:
            await live_until(street, point, nth)
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()
    assert {one["side"] for one in oracle(simulator, "fill")} == {"buy", "sell"}
    check_books(simulator, street)


@pytest.mark.parametrize("wire", ROADS, ids=[wire.name for wire in ROADS])
@pytest.mark.parametrize(
    ("point", "nth"), [one[1:] for one in POINTS], ids=[f"{k} {point}" for k, point, _ in POINTS]
)
async def test_the_next_life_ends_with_equal_books(point: str, nth: int, wire: Wire) -> None:
    await play(wire, ((point, nth),))


@pytest.mark.parametrize("wire", ROADS, ids=[wire.name for wire in ROADS])
@pytest.mark.parametrize("point", ["before_lookup", "after_lookup"])
async def test_a_death_while_an_order_is_looked_up_is_looked_up_again(
    point: str, wire: Wire
) -> None:
    await play(wire, (("after_answer", 1), (point, 1)))
