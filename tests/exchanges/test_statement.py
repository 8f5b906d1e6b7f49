"""A live account's books against the venue's own: what is lost, doubled, foreign or different."""

import asyncio
import threading
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.engine.fakes import random_bars, spec
from tests.exchanges.street import FUNDS, KEY, SECRET, open_simulator
from tests.factories import EngineRows
from tests.simulator_place import tell_port
from trading.core.codes import Purpose, Side
from trading.engine.messages import FillReport, MarketSpec
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.statement import StatementTorn, read_statement
from trading.exchanges.simulator.server import Simulator
from trading.ledger import rows
from trading.ledger.positions import apply_fill
from trading.models import Bot, Fill, LedgerEntry, Order, OrderIntent
from trading.wiring.directory import list_engines
from trading.wiring.proofs import Proof, prove_engine

BARS = random_bars(1, 60)
NS = 1_000_000_000


@dataclass
class Venue:
    """The simulated venue on a loop of its own, so that the database may be used beside it."""

    loop: asyncio.AbstractEventLoop
    simulator: Simulator

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def ask(self, method: str, **params: Any) -> Any:
        async def work() -> Any:
            client = KrakenRest(url=self.simulator.address, key=KEY, secret=SECRET)
            try:
                return await client.act(method, **params)
            finally:
                await client.close()

        return self.do(work())

    def statement(self, until_ns: int) -> Any:
        async def work() -> Any:
            client = KrakenRest(url=self.simulator.address, key=KEY, secret=SECRET)
            try:
                return await read_statement(client, until_ns=until_ns)
            finally:
                await client.close()

        return self.do(work())

    def later(self, seconds: int = 120) -> None:
        clock = self.simulator.clock
        self.loop.call_soon_threadsafe(clock.jump, clock.now_ns() + seconds * NS)


@pytest.fixture
def venue() -> Iterator[Venue]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = Venue(loop, asyncio.run_coroutine_threadsafe(open_simulator(BARS), loop).result(60))
    yield made
    made.do(made.simulator.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def buy(venue: Venue, *, side: str = "buy", client_id: str = "", volume: str = "0.01") -> str:
    told = venue.ask("AddOrder", pair="XBTUSD", type=side, ordertype="market", volume=volume,
                     cl_ord_id=client_id or None, oflags="fciq")  # fmt: skip
    return str(told["txid"][0])


def test_the_venues_ledger_explains_its_balances_and_an_unmodified_client_reads_it(
    venue: Venue,
) -> None:
    client = ccxt.kraken({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
    client.urls["api"] = dict.fromkeys(client.urls["api"], venue.simulator.address)
    client.create_order("BTC/USD", "market", "buy", 0.01)
    client.create_order("BTC/USD", "market", "sell", 0.004)
    told = client.fetch_ledger()
    lines = venue.ask("Ledgers")["ledger"].values()
    balances = venue.ask("Balance")

    assert {one["type"] for one in told} == {"trade", "transaction"}
    for asset, balance in balances.items():
        own = [one for one in lines if one["asset"] == asset]
        assert sum(Decimal(one["amount"]) - Decimal(one["fee"]) for one in own) == Decimal(balance)
        assert Decimal(own[0]["balance"]) == Decimal(balance)  # newest first
    assert venue.ask("Ledgers", asset="XBT", type="trade")["count"] == 2


def test_every_page_is_read_and_a_missing_one_is_noticed(venue: Venue, monkeypatch) -> None:
    for _ in range(60):
        buy(venue, volume="0.001")
    venue.later()

    told = venue.statement(venue.simulator.clock.now_ns())

    assert len(told.trades) >= 60
    assert len(told.lines) == 2 * len(told.trades) + len(FUNDS)
    assert len(told.orders) == 60
    monkeypatch.setattr("trading.exchanges.simulator.kraken_private.PAGE", 0)
    with pytest.raises(StatementTorn, match=r"TradesHistory: .* promised, 0 told"):
        venue.statement(venue.simulator.clock.now_ns())


@dataclass
class Live:
    """A live account whose books were kept as an engine keeps them."""

    rows: EngineRows
    venue: Venue
    spec: MarketSpec
    seq: int = 0

    def trade(self, purpose: Purpose, *, is_booked: bool = True) -> str:
        """An order at the venue, and its fills in our journal."""
        self.seq += 1
        client_id, side = str(uuid.uuid4()), Side.BUY if purpose == Purpose.ENTRY else Side.SELL
        with tenant_scope(self.rows.tenant_id):
            intent = self._intent(client_id, purpose, side)
        order_id = buy(self.venue, side=side.name.lower(), client_id=client_id)
        if is_booked:
            told = self.venue.ask("QueryOrders", txid=order_id, trades="true")[order_id]
            with tenant_scope(self.rows.tenant_id):
                self._book(intent, order_id, told["trades"], side, purpose)
        return client_id

    def _intent(self, client_id: str, purpose: Purpose, side: Side) -> OrderIntent:
        at = rows.to_datetime(self.venue.simulator.clock.now_ns())
        return OrderIntent.objects.create(
            tenant_id=self.rows.tenant_id, engine_id=self.rows.engine_id, epoch=1,
            bot_id=self.spec.bot_id, instrument=self.rows.instrument, seq=self.seq,
            client_order_id=client_id, purpose=purpose, side=side.name, quantity=Decimal("0.01"),
            state="DONE", planned_at=at, deadline_at=at,
        )  # fmt: skip

    def _book(self, intent: Any, order_id: str, trades: Any, side: Side, purpose: Purpose) -> None:
        told = self.venue.ask("QueryTrades", txid=",".join(trades))
        order = Order.objects.create(
            tenant_id=self.rows.tenant_id, intent=intent, venue_order_id=order_id, status="FILLED",
            filled_quantity=sum(Decimal(one["vol"]) for one in told.values()),
        )  # fmt: skip
        for trade_id in trades:
            one = orders.rest_execution(trade_id, told[trade_id], self.spec)
            report = FillReport(
                market=0, intent_seq=self.seq, venue_order_id=order_id, venue_trade_id=trade_id,
                time_ns=one.time_ns, purpose=purpose, side=side, quantity_lots=one.lots,
                price_ticks=one.ticks, fee_units=one.fee_units, fee=one.fee,
                fee_currency=one.fee_currency, liquidity=0, reason=0, final=True,
            )  # fmt: skip
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


@pytest.fixture
def live(fresh_database, venue: Venue, settings, tmp_path) -> Live:
    settings.DATA_DIR = tmp_path
    tell_port(tmp_path, venue.simulator.port)
    made = factories.make_engine("acme", factories.make_instrument("kraken"), venue="simulator")
    with tenant_scope(made.tenant_id):
        ExchangeAccount.objects.filter(id=made.account_id).update(mode="LIVE")
        tenant_operations.seal_key(
            account_id=made.account_id, key=KEY, secret=SECRET, actor=None, now=factories.NOW
        )
        bot = Bot.objects.get()
    facts = spec()
    market = MarketSpec(
        0, str(bot.id), str(bot.active_revision_id), made.instrument.id, "simulator", "BTC/USD",
        "BTC", "USD", facts.tick_size, facts.lot_size, facts.min_quantity, facts.min_notional,
        facts.timeframe_ns,
    )  # fmt: skip
    return Live(made, venue, market)


def test_books_that_agree_to_the_last_digit_are_proven_and_what_is_lost_is_named(
    live: Live,
) -> None:
    live.trade(Purpose.ENTRY)
    live.trade(Purpose.EXIT)
    buy(live.venue, volume="0.002")  # the customer's own order: none of ours
    assert live.differences() == []

    live.trade(Purpose.ENTRY, is_booked=False)

    kinds = live.differences()
    assert {kind for kind, _ in kinds} == {"lost"}
    assert any(words.startswith("order ") for _, words in kinds)
    assert any(words.startswith("trade ") and "BUY" in words for _, words in kinds)


def test_what_the_venue_does_not_know_is_foreign_and_a_second_order_doubled(live: Live) -> None:
    client_id = live.trade(Purpose.ENTRY)
    with tenant_scope(live.rows.tenant_id):
        fill = Fill.objects.latest("id")
        fill.pk, fill.venue_trade_id = None, "TINVEN-TEDXX-XXXXXX"
        fill.save(force_insert=True)

    assert any(kind == "foreign" and "TINVEN" in words for kind, words in live.differences())
    buy(live.venue, client_id=client_id)  # its order is done, so the venue takes the name again
    assert any(kind == "doubled" and client_id in words for kind, words in live.differences())


def test_a_venue_that_cannot_be_asked_leaves_the_books_unproven(live: Live, tmp_path) -> None:
    live.trade(Purpose.ENTRY)
    tell_port(tmp_path, 9)

    proof = live.proof()

    assert "cannot be reached" in proof.problem
    assert not proof.holds


def test_a_venue_that_charges_another_fee_or_moves_another_amount_is_found(live: Live) -> None:
    live.trade(Purpose.ENTRY)
    account = live.venue.simulator.exchange.accounts[KEY]
    [order] = [one for one in account.orders.values() if one.fills]
    order.fills[0].fee += Decimal("0.00000001")
    told = live.differences()
    assert [(kind, "fee: ours" in words) for kind, words in told] == [("different", True)]

    order.fills[0].fee -= Decimal("0.00000001")
    line = account.ledger[-1]
    account.ledger[-1] = type(line)(
        line.ledger_id, line.reference, line.time_ns, line.kind, line.asset,
        line.amount + Decimal("0.00001"), line.fee, line.balance,
    )  # fmt: skip
    told = live.differences()
    assert [(kind, "USD moved: ours" in words) for kind, words in told] == [("different", True)]
