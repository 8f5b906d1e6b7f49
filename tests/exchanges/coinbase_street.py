"""An engine with real orders at the scripted Coinbase: prices move, orders match, the books are held
against each other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from tests.engine.fakes import ENGINE_ID, MemoryInbox, MemoryLease, MemorySink, spec
from tests.exchanges.coinbase_account import NAME, SECRET, Account
from tests.exchanges.coinbase_wire import Wire
from tests.exchanges.street import QUICK, JournalWithNames
from tests.exchanges.test_coinbase_feed import WireTime
from trading.chaos.wires import BOUNDLESS
from trading.core.config.pipeline import PipelineParams
from trading.engine.clock import SystemClock
from trading.engine.handler import Ports
from trading.engine.live import Identity, LiveView
from trading.engine.messages import BarClosed, FeedChange, PriceTick
from trading.engine.runner import Outcome, Runner
from trading.engine.state import CoreState
from trading.exchanges.coinbase.call_rate import CallRate
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.live import CoinbaseVenue
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import Signer

NS, MINUTE_S = 1_000_000_000, 60
AFTERWARDS = 45  # steps of two seconds in which what is unclear gets settled
MOST_AFTERWARDS = 500  # a busy machine needs longer to ask what it was not told
PATH = ("open", "low", "high", "close")


@dataclass
class Market(Account):
    """An account whose orders match against the price."""

    changed: set[str] = field(default_factory=set)

    def fill(self, order_id: str, size: str, *, entry: str = "") -> None:
        super().fill(order_id, size, entry=entry)
        self.changed.add(order_id)

    def _new(self, body: dict[str, Any]) -> dict[str, Any]:
        made = super()._new(body)
        self.changed.add(made["order_id"])
        return made

    def _one(self, request: Any, body: Any) -> Any:
        told = super()._one(request, body)
        self.changed |= {told["order"]["order_id"]} if isinstance(told, dict) else set()
        return told

    def move(self, price: float) -> None:
        """The market trades at a price: what it reaches is filled, stops in two parts."""
        self.price = f"{price:.1f}"
        for order_id, order in self.orders.items():
            if order["status"] not in ("OPEN", "CANCEL_QUEUED"):
                continue
            ((kind, facts),) = order["order_configuration"].items()
            at = Decimal(facts.get("stop_price") or facts.get("limit_price") or 0)
            if kind.startswith("stop") and Decimal(self.price) <= at:
                half = (Decimal(order["base_size"]) / 2).quantize(Decimal("0.0001"))
                left = Decimal(order["base_size"]) - Decimal(order["filled_size"])
                self.fill(order_id, str(half if half and half < left else left))
            elif kind.startswith("limit") and Decimal(self.price) < at:
                self.fill(order_id, order["base_size"])

    async def flush(self) -> None:
        """Tell what changed."""
        while self.changed:
            await self.say(self.changed.pop())

    def bought(self) -> Decimal:
        """Coins the engine holds here."""
        signs = {"BUY": 1, "SELL": -1}
        return sum(
            (Decimal(f["size"]) * signs[self.orders[f["order_id"]]["side"]] for f in self.fills),
            Decimal(0),
        )

    def offered(self) -> Decimal:
        """Coins that working orders would sell."""
        return sum(
            (
                Decimal(order["base_size"]) - Decimal(order["filled_size"])
                for order in self.orders.values()
                if order["side"] == "SELL" and order["status"] in ("OPEN", "CANCEL_QUEUED")
            ),
            Decimal(0),
        )


@dataclass
class Conductor:
    """A feed that moves the venue's time and price through each bar, then tells its close."""

    market: Market
    bars: np.ndarray
    before_bar: Callable[[int], Any]
    violations: list[float]
    is_idle: Callable[[], bool] = lambda: True
    knows_all: Callable[[], bool] = lambda: True

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[Any]:
        yield FeedChange("candles", is_up=True, reason="")
        for number, bar in enumerate(self.bars):
            open_s = int(bar["open_ns"]) // NS
            if int(bar["open_ns"]) <= after_ns.get(0, 0):
                continue
            told = self.before_bar(number)
            if told is not None:
                await told
            for step, name in enumerate(PATH):
                yield await self._step(open_s + MINUTE_S * (step + 1) / 4, float(bar[name]))
            yield BarClosed(0, int(bar["open_ns"]), *(float(bar[n]) for n in bar.dtype.names[1:]))
        for number in range(MOST_AFTERWARDS):
            if number >= AFTERWARDS and self.knows_all():
                break
            yield await self._step(self.market.wire.now_s + 2, float(self.market.price))
            await asyncio.sleep(0.02)

    async def _step(self, now_s: float, price: float) -> PriceTick:
        await self._calm()
        self.market.wire.now_s = max(now_s, self.market.wire.now_s)
        self.market.move(price)
        await self.market.flush()
        if self.market.offered() > self.market.bought():
            self.violations.append(self.market.wire.now_s)
        return PriceTick(0, int(self.market.wire.now_s * NS), float(self.market.price))

    async def _calm(self) -> None:
        """Time goes on when the engine has done what there was to do."""
        await self.market.flush()
        await asyncio.sleep(0.0005)
        while not self.is_idle():
            await asyncio.sleep(0.0005)

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        return self.bars[self.bars["open_ns"] < before_ns][-count:]

    async def close(self) -> None:
        return None


@dataclass
class CoinbaseStreet:
    """One engine; ``run`` again is a restart."""

    market: Market
    params: PipelineParams
    bars: np.ndarray
    before_bar: Callable[[int], Any] = lambda number: None
    ledger: JournalWithNames = field(default_factory=JournalWithNames)
    violations: list[float] = field(default_factory=list)
    core: CoreState | None = None

    async def run(self) -> Outcome:
        clock = WireTime(self.market.wire)
        signer = Signer(name=NAME, secret=SECRET)
        url, calls = self.market.wire.rest_url, CallRate(BOUNDLESS)
        rest = CoinbaseRest(url=url, clock=clock, signer=signer, calls=calls)
        desk = CoinbaseDesk(rest=rest, specs=[spec()], clock=clock)
        feed = Conductor(self.market, self.bars, self.before_bar, self.violations)
        socket = f"{self.market.wire.ws_url}/user"
        venue = CoinbaseVenue(desk=desk, feed=feed, ws_url=socket)
        self.core = CoreState(engine_id=ENGINE_ID, specs=[spec()], params=[self.params])
        identity = Identity(engine_id=ENGINE_ID, mode="LIVE", venue="coinbase", currency="USD")
        runner = Runner(
            core=self.core,
            ports=Ports(
                venue=venue,
                feed=feed,
                ledger=self.ledger,
                inbox=MemoryInbox(self.ledger),
                lease=MemoryLease(),
                live=LiveView(sink=MemorySink(), identity=identity, clock=SystemClock()),
                clock=SystemClock(),
            ),
            pace=QUICK,
        )
        feed.is_idle = lambda: venue._queue.empty() and not runner._lock.locked()
        feed.knows_all = lambda: len(self.ledger.fills) == len(self.market.fills)
        try:
            return await runner.run()
        finally:
            await rest.close()

    def check_books(self) -> None:
        """The venue's account against our journal: nothing doubled, nothing lost, nothing naked."""
        market, ledger = self.market, self.ledger
        sent = [order["client_order_id"] for order in market.orders.values()]
        planned = {order.client_order_id for order, _ in ledger.intents.values()}
        assert len(sent) == len(set(sent)), "an order was sent twice"
        assert set(sent) <= planned, "an order without a committed intent"
        denied = [
            (order.seq, order.purpose, state)
            for order, state in ledger.intents.values()
            if state in ("REFUSED", "EXPIRED") and order.client_order_id in sent
        ]
        assert denied == [], "the venue took what our journal says it refused"
        assert self.violations == [], "more was offered than was bought"
        theirs = {f["entry_id"]: Decimal(f["size"]) for f in market.fills}
        ours = {f.venue_trade_id: f.quantity_lots * spec().lot_size for f in ledger.fills}
        assert ours == theirs, "fills differ"
        assert self.core is not None
        held = int(self.core.markets[0]["position"]["quantity_lots"]) * spec().lot_size
        assert market.bought() == held, "the position differs"
        assert market.offered() == held, "what is held is not covered"
        assert "UNKNOWN" not in [state for _, state in ledger.intents.values()]


async def open_market(bars: np.ndarray) -> Market:
    """A venue whose time stands at the beginning of these bars."""
    wire = Wire(now_s=int(bars["open_ns"][0]) / NS)
    await wire.start()
    market = Market(wire)
    market.price = f"{float(bars['open'][0]):.1f}"
    return market
