"""A live account at a simulated venue, over either wire, whose books were kept as an engine keeps them."""

import asyncio
import json
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.engine.fakes import random_bars, spec
from tests.exchanges.street import KEY, open_simulator
from tests.factories import EngineRows
from trading.chaos.wires import COINBASE, KRAKEN, Wire, uncounted
from trading.core.codes import Purpose, Side
from trading.engine.messages import MarketSpec
from trading.exchanges.coinbase import orders as coinbase_orders
from trading.exchanges.coinbase import statement as coinbase_statement
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import Signer
from trading.exchanges.known_orders import Execution, KnownOrders
from trading.exchanges.kraken import orders as kraken_orders
from trading.exchanges.kraken import statement as kraken_statement
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator import kraken_rows
from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.statement import Statement
from trading.exchanges.venue_clock import VenueClock
from trading.ledger import rows
from trading.ledger.positions import apply_fill
from trading.models import Bot, Fill, LedgerEntry, Order, OrderIntent
from trading.wiring.directory import list_engines
from trading.wiring.proofs import Proof, prove_engine

BARS = random_bars(1, 60)
NS = 1_000_000_000
Work = Callable[[Any], Coroutine[Any, Any, Any]]


@dataclass
class Venue:
    """The simulated venue on a loop of its own, so that the database may be used beside it."""

    loop: asyncio.AbstractEventLoop
    simulator: Simulator

    name = ""
    wire = KRAKEN

    @property
    def account(self) -> Account:
        return self.simulator.exchange.accounts[KEY]

    @property
    def now_ns(self) -> int:
        return self.simulator.clock.now_ns()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def open_client(self) -> Any:
        raise NotImplementedError

    def with_client(self, work: Work) -> Any:
        async def whole() -> Any:
            client = self.open_client()
            try:
                return await work(client)
            finally:
                await client.close()

        return self.do(whole())

    def statement(self, until_ns: int) -> Statement:
        raise NotImplementedError

    def buy(self, *, side: str = "buy", client_id: str = "", volume: str = "0.01") -> str:
        """A market order; the venue's name of it."""
        raise NotImplementedError

    def executions(self, order_id: str, market: MarketSpec) -> list[Execution]:
        """An order's fills as our adapter reads them."""
        raise NotImplementedError

    def later(self, seconds: int = 120) -> None:
        async def jump() -> None:
            self.simulator.clock.jump(self.now_ns + seconds * NS)

        self.do(jump())


class AtKraken(Venue):
    name, wire = "simulator", KRAKEN

    def open_client(self) -> KrakenRest:
        return KrakenRest(
            url=self.simulator.address, key=KEY, secret=self.wire.secret, calls=uncounted()
        )

    def ask(self, method: str, **params: Any) -> Any:
        return self.with_client(lambda client: client.act(method, **params))

    def statement(self, until_ns: int) -> Statement:
        return self.with_client(lambda c: kraken_statement.read_statement(c, until_ns=until_ns))

    def buy(self, *, side: str = "buy", client_id: str = "", volume: str = "0.01") -> str:
        told = self.ask("AddOrder", pair="XBTUSD", type=side, ordertype="market", volume=volume,
                        cl_ord_id=client_id or None, oflags="fciq")  # fmt: skip
        return str(told["txid"][0])

    def executions(self, order_id: str, market: MarketSpec) -> list[Execution]:
        trades = self.ask("QueryOrders", txid=order_id, trades="true")[order_id]["trades"]
        told = self.ask("QueryTrades", txid=",".join(trades))
        return [kraken_orders.rest_execution(key, told[key], market) for key in trades]

    def heard(self, order_id: str, market: MarketSpec) -> list[Execution]:
        """The same as the stream tells it."""
        order = self.account.orders[order_id]
        events = [{"exec_type": "trade", "order": order, "fill": fill} for fill in order.fills]
        frames = [msgspec.json.encode(kraken_rows.execution(one, now_ns=0)) for one in events]
        read = [json.loads(frame, parse_float=Decimal) for frame in frames]
        return [kraken_orders.ws_execution(one, market) for one in read]


class AtCoinbase(Venue):
    name, wire = "simulator_coinbase", COINBASE

    def open_client(self) -> CoinbaseRest:
        signer = Signer(name=KEY, secret=self.wire.secret)
        url = f"{self.simulator.address}/api/v3/brokerage"
        return CoinbaseRest(url=url, clock=VenueClock(), signer=signer)

    def read(self, path: str, **params: Any) -> Any:
        return self.with_client(lambda client: client.read(path, **params))

    def statement(self, until_ns: int) -> Statement:
        return self.with_client(lambda c: coinbase_statement.read_statement(c, until_ns=until_ns))

    def buy(self, *, side: str = "buy", client_id: str = "", volume: str = "0.01") -> str:
        body = {
            "client_order_id": client_id or str(uuid.uuid4()),
            "product_id": "BTC-USD",
            "side": side.upper(),
            "order_configuration": {"market_market_ioc": {"base_size": volume}},
        }
        told = self.with_client(lambda client: client.act("/orders", body))
        return str(told["success_response"]["order_id"])

    def executions(self, order_id: str, market: MarketSpec) -> list[Execution]:
        told = self.read("/orders/historical/fills", order_ids=[order_id])
        found = [coinbase_orders.execution(one, market) for one in told["fills"]]
        return [one for one in found if one is not None]


@contextmanager
def open_venue(made: type[Venue]) -> Iterator[Venue]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    opening = asyncio.run_coroutine_threadsafe(_open(made.wire), loop)
    venue = made(loop, opening.result(60))
    yield venue
    venue.do(venue.simulator.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


async def _open(wire: Wire) -> Simulator:
    return await open_simulator(BARS, wire=wire)


@dataclass
class Live:
    """A live account; ``seq`` counts its orders."""

    rows: EngineRows
    venue: Venue
    spec: MarketSpec
    seq: int = 0

    def trade(self, purpose: Purpose, *, is_booked: bool = True) -> str:
        """An order at the venue, and its fills in our journal; its client order id."""
        self.seq += 1
        client_id, side = str(uuid.uuid4()), Side.BUY if purpose == Purpose.ENTRY else Side.SELL
        with tenant_scope(self.rows.tenant_id):
            intent = self._intent(client_id, purpose, side)
        order_id = self.venue.buy(side=side.name.lower(), client_id=client_id)
        if is_booked:
            told = self.venue.executions(order_id, self.spec)
            with tenant_scope(self.rows.tenant_id):
                self._book(intent, order_id, told)
        return client_id

    def _intent(self, client_id: str, purpose: Purpose, side: Side) -> OrderIntent:
        at = rows.to_datetime(self.venue.now_ns)
        return OrderIntent.objects.create(
            tenant_id=self.rows.tenant_id, engine_id=self.rows.engine_id, epoch=1,
            bot_id=self.spec.bot_id, instrument=self.rows.instrument, seq=self.seq,
            client_order_id=client_id, purpose=purpose, side=side.name, quantity=Decimal("0.01"),
            state="DONE", planned_at=at, deadline_at=at,
        )  # fmt: skip

    def _book(self, intent: Any, order_id: str, told: list[Execution]) -> None:
        order = Order.objects.create(
            tenant_id=self.rows.tenant_id, intent=intent, venue_order_id=order_id, status="FILLED",
            filled_quantity=sum(one.lots for one in told) * self.spec.lot_size,
        )  # fmt: skip
        known = KnownOrders()
        named = known.name(rows.order_of(self.spec, intent), order_id)
        for report in filter(None, [known.fill(named, one) for one in told]):
            fill = Fill.objects.create(
                tenant_id=self.rows.tenant_id, order=order, account_id=self.rows.account_id,
                **rows.fill_fields(self.spec, report),
            )  # fmt: skip
            posting = uuid.uuid4()
            LedgerEntry.objects.bulk_create(
                LedgerEntry(
                    tenant_id=self.rows.tenant_id, account_id=self.rows.account_id,
                    posting=posting, book=book, currency=currency, amount=amount, fill=fill,
                    booked_at=fill.filled_at,
                )
                for book, currency, amount in rows.postings(self.spec, report)
            )  # fmt: skip
            apply_fill(tenant_id=str(self.rows.tenant_id), spec=self.spec, report=report)

    def proof(self) -> Proof:
        self.venue.later()
        [listed] = list_engines()
        return prove_engine(listed, now=timezone.now())

    def differences(self) -> list[tuple[str, str]]:
        proof = self.proof()
        assert proof.problem == ""
        return [(one.kind, f"{one.what}: {one.words}") for one in proof.differences]


def open_account(venue: Venue) -> Live:
    """A workspace whose one account is live at this venue."""
    made = factories.make_engine("acme", factories.make_instrument(venue.name), venue=venue.name)
    with tenant_scope(made.tenant_id):
        ExchangeAccount.objects.filter(id=made.account_id).update(mode="LIVE")
        tenant_operations.seal_key(
            account_id=made.account_id, key=KEY, secret=venue.wire.secret, actor=None,
            now=factories.NOW,
        )  # fmt: skip
        bot = Bot.objects.get()
    facts = spec()
    market = MarketSpec(
        0, str(bot.id), str(bot.active_revision_id), made.instrument.id, venue.name, "BTC/USD",
        "BTC", "USD", facts.tick_size, facts.lot_size, facts.min_quantity, facts.min_notional,
        facts.timeframe_ns,
    )  # fmt: skip
    return Live(made, venue, market)
