"""A live account's books against the venue's own: what is lost, doubled, foreign or different."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from django.utils import timezone

from tenants.scoping import tenant_scope
from tests.exchanges.ledgers import AtCoinbase, AtKraken, Live, Venue, open_account, open_venue
from tests.exchanges.street import FUNDS, KEY, SECRET
from tests.simulator_place import tell_port
from trading.core.codes import Purpose
from trading.exchanges.simulator import coinbase_lists
from trading.exchanges.simulator.accounts import BASE, Account
from trading.exchanges.statement import StatementTorn
from trading.models import Fill, LedgerProof, Position
from trading.wiring.directory import list_engines
from trading.wiring.proof_watch import ProofWatch
from trading.wiring.proofs import keep_proof

NS = 1_000_000_000
LEAST = Decimal("0.00000001")
Told = dict[str, Any]
Spoil = Callable[[Told, Any], Told]


@pytest.fixture
def kraken() -> Iterator[AtKraken]:
    with open_venue(AtKraken) as made:
        assert isinstance(made, AtKraken)
        yield made


@pytest.fixture
def coinbase() -> Iterator[AtCoinbase]:
    with open_venue(AtCoinbase) as made:
        assert isinstance(made, AtCoinbase)
        yield made


@pytest.fixture(params=[AtKraken, AtCoinbase], ids=["kraken", "coinbase"])
def venue(request: pytest.FixtureRequest) -> Iterator[Venue]:
    with open_venue(request.param) as made:
        yield made


@pytest.fixture
def live(fresh_database, venue: Venue, settings, tmp_path) -> Live:
    settings.DATA_DIR = tmp_path
    tell_port(tmp_path, venue.simulator.port)
    return open_account(venue)


@pytest.fixture
def live_at_kraken(fresh_database, kraken: AtKraken, settings, tmp_path) -> Live:
    settings.DATA_DIR = tmp_path
    tell_port(tmp_path, kraken.simulator.port)
    return open_account(kraken)


def test_prices_between_two_of_our_ticks_are_booked_to_the_venues_last_digit(live: Live) -> None:
    (market,) = live.venue.simulator.exchange.markets.values()
    market.grid = replace(market.grid, tick_size=Decimal("0.001"))

    live.trade(Purpose.ENTRY)
    live.trade(Purpose.EXIT)

    with tenant_scope(live.rows.tenant_id):
        assert any(fill.price % live.spec.tick_size for fill in Fill.objects.all())
    assert live.differences() == []


def test_the_venues_ledger_explains_its_balances_and_an_unmodified_client_reads_it(
    kraken: AtKraken,
) -> None:
    client = ccxt.kraken({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
    client.urls["api"] = dict.fromkeys(client.urls["api"], kraken.simulator.address)
    client.create_order("BTC/USD", "market", "buy", 0.01)
    client.create_order("BTC/USD", "market", "sell", 0.004)
    told = client.fetch_ledger()
    lines = kraken.ask("Ledgers")["ledger"].values()
    balances = kraken.ask("Balance")

    assert {one["type"] for one in told} == {"trade", "transaction"}
    for asset, balance in balances.items():
        own = [one for one in lines if one["asset"] == asset]
        assert sum(Decimal(one["amount"]) - Decimal(one["fee"]) for one in own) == Decimal(balance)
        assert Decimal(own[0]["balance"]) == Decimal(balance)  # newest first
    assert kraken.ask("Ledgers", asset="XBT", type="trade")["count"] == 2


def test_every_page_is_read_and_a_missing_one_is_noticed(kraken: AtKraken, monkeypatch) -> None:
    for _ in range(60):
        kraken.buy(volume="0.001")
    kraken.later()

    told = kraken.statement(kraken.now_ns)

    assert len(told.trades) >= 60
    assert told.lines is not None
    assert len(told.lines) == 2 * len(told.trades) + len(FUNDS)
    assert len(told.orders) == 60
    monkeypatch.setattr("trading.exchanges.simulator.kraken_pages.PAGE", 0)
    with pytest.raises(StatementTorn, match=r"TradesHistory: .* promised, 0 told"):
        kraken.statement(kraken.now_ns)


def fill_many(venue: AtCoinbase, count: int) -> None:
    """Several pages of orders and fills."""
    for _ in range(count):
        venue.buy(volume="0.0001")
    venue.later()


def spoil(monkeypatch: pytest.MonkeyPatch, name: str, change: Spoil) -> None:
    """Lists of this kind are told otherwise; the change is given the cursor asked for."""
    tell = getattr(coinbase_lists, name)

    def spoilt(*given: Any) -> Told:
        return change(tell(*given), given[-1].one("cursor"))

    monkeypatch.setattr(coinbase_lists, name, spoilt)


def test_every_page_of_coinbases_lists_is_read(coinbase: AtCoinbase, monkeypatch) -> None:
    monkeypatch.setattr("trading.exchanges.coinbase.statement.PAGE", 7)
    opened_ns = coinbase.now_ns
    fill_many(coinbase, 30)

    told = coinbase.statement(coinbase.now_ns)

    (account,) = coinbase.simulator.exchange.accounts.values()
    fills = [fill for order in account.orders.values() for fill in order.fills]
    assert len(told.orders) == 30
    assert len(told.trades) == len(fills) >= 30
    assert sum(one.fee for one in told.trades.values()) == sum(one.fee for one in fills)
    assert 0 <= opened_ns - told.since_ns < 1000  # to the microsecond


TORN = [
    ("fills", lambda told, _: told | {"fills": told["fills"][:-1]}, "filled, its fills tell 0"),
    ("fills", lambda told, _: told | {"cursor": ""}, "filled, its fills tell 0"),
    ("fills", lambda told, cursor: told | {"cursor": cursor or told["cursor"]}, "nothing follows"),
    ("orders", lambda told, _: told | {"cursor": ""}, "after 7 orders, and nothing follows"),
    ("orders", lambda told, _: told | {"cursor": "", "orders": [], "has_next": True},
     "after 0 orders, and nothing follows"),
    ("accounts", lambda told, _: told | {"cursor": "1", "has_next": True}, "nothing follows"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "words"), TORN)
def test_torn_lists_of_coinbase_are_no_statement(
    coinbase: AtCoinbase, monkeypatch, name: str, change: Spoil, words: str
) -> None:
    monkeypatch.setattr("trading.exchanges.coinbase.statement.PAGE", 7)
    fill_many(coinbase, 10)
    spoil(monkeypatch, name, change)

    with pytest.raises(StatementTorn, match=words):
        coinbase.statement(coinbase.now_ns)


def test_what_coinbase_fills_after_the_moment_is_not_of_it_and_tears_nothing(
    coinbase: AtCoinbase,
) -> None:
    before = coinbase.buy()
    coinbase.later()
    until_ns = coinbase.now_ns - 60 * NS
    after = coinbase.buy()

    told = coinbase.statement(until_ns)

    assert {one.order_id for one in told.trades.values()} == {before}
    assert told.orders.keys() == {before, after}
    assert told.orders[after].opened_ns > until_ns


def test_books_that_agree_to_the_last_digit_are_proven_and_what_is_lost_is_named(
    live: Live,
) -> None:
    live.trade(Purpose.ENTRY)
    live.trade(Purpose.EXIT)
    live.venue.buy(volume="0.002")  # the customer's own order: none of ours
    proof = live.proof()
    assert (proof.holds, proof.differences, proof.problem) == (True, (), "")
    assert proof.since is not None

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
    second = live.venue.buy()
    live.venue.account.orders[second].client_id = client_id
    assert any(kind == "doubled" and client_id in words for kind, words in live.differences())


def test_what_happens_while_the_venues_books_are_read_differs_in_nothing(live: Live) -> None:
    live.trade(Purpose.ENTRY)
    live.venue.later()
    until_ns = live.venue.now_ns - 60 * NS

    live.trade(Purpose.EXIT, is_booked=False)  # its answer is on its way to our journal
    statement = live.venue.statement(until_ns)
    live.trade(Purpose.ENTRY)

    assert len(statement.orders) == 2
    [listed] = list_engines()
    proof = keep_proof(listed, statement, problem="", now=timezone.now())
    assert (proof.differences, proof.orders) == ((), 2)


def test_an_engine_proves_with_the_client_it_signs_with_what_was_not_proved_for_a_day(
    live: Live,
) -> None:
    live.trade(Purpose.ENTRY)
    live.venue.later()

    async def look(client: Any) -> None:
        rows = live.rows
        watch = ProofWatch(
            tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id), rest=client
        )
        await watch.look()
        await watch.look()  # it was proved by now

    live.venue.with_client(look)

    with tenant_scope(live.rows.tenant_id):
        (kept,) = LedgerProof.objects.all()
    assert (kept.differing, kept.problem, kept.fills) == (0, "", 1)
    assert kept.since is not None


def test_a_venue_that_cannot_be_asked_leaves_the_books_unproven(live: Live, tmp_path) -> None:
    live.trade(Purpose.ENTRY)
    tell_port(tmp_path, 9)

    proof = live.proof()

    assert "cannot be reached" in proof.problem
    assert not proof.holds


def change_a_fee(account: Account) -> None:
    _filled(account)[0].fills[0].fee += LEAST


def change_a_price(account: Account) -> None:
    _filled(account)[0].fills[0].price += LEAST


def change_a_quantity(account: Account) -> None:
    _filled(account)[0].fills[0].quantity += LEAST


def change_a_side(account: Account) -> None:
    _filled(account)[0].side = "sell"


def move_to_another_order(account: Account) -> None:
    first, second = _filled(account)
    second.fills.append(first.fills.pop())


def _filled(account: Account) -> list[Any]:
    return [one for one in account.orders.values() if one.fills]


@pytest.mark.parametrize(
    ("change", "field"),
    [(change_a_fee, "fee"), (change_a_price, "price"), (change_a_quantity, "quantity"),
     (change_a_side, "side"), (move_to_another_order, "order")],
)  # fmt: skip
def test_the_smallest_change_of_any_fact_of_a_fill_is_found(
    fresh_database, coinbase: AtCoinbase, settings, tmp_path, change: Any, field: str
) -> None:
    settings.DATA_DIR = tmp_path
    tell_port(tmp_path, coinbase.simulator.port)
    live = open_account(coinbase)
    live.trade(Purpose.ENTRY)
    live.trade(Purpose.EXIT)
    assert live.differences() == []

    change(coinbase.account)

    told = live.differences()
    assert any(kind == "different" and f": {field}: ours" in words for kind, words in told), told


def test_a_venue_that_charges_another_fee_or_moves_another_amount_is_found(
    live_at_kraken: Live,
) -> None:
    live = live_at_kraken
    live.trade(Purpose.ENTRY)
    account = live.venue.account
    [order] = _filled(account)
    order.fills[0].fee += LEAST
    told = live.differences()
    assert [(kind, "fee: ours" in words) for kind, words in told] == [("different", True)]

    order.fills[0].fee -= LEAST
    line = account.ledger[-1]
    account.ledger[-1] = type(line)(
        line.ledger_id, line.reference, line.time_ns, line.kind, line.asset,
        line.amount + Decimal("0.00001"), line.fee, line.balance,
    )  # fmt: skip
    told = live.differences()
    assert [(kind, "USD moved: ours" in words) for kind, words in told] == [("different", True)]


@pytest.mark.parametrize(("fee_in", "held"), [(BASE, "0.0099"), ("KFEE", "0.01")])
def test_a_fee_in_another_asset_is_proved_to_the_last_digit(
    live_at_kraken: Live,
    kraken: AtKraken,
    monkeypatch: pytest.MonkeyPatch,
    fee_in: str,
    held: str,
) -> None:
    live = live_at_kraken
    kraken.account.fee_in = fee_in
    monkeypatch.setattr(kraken, "executions", kraken.heard)

    live.trade(Purpose.ENTRY)

    assert live.differences() == []
    with tenant_scope(live.rows.tenant_id):
        position, fill = Position.objects.get(), Fill.objects.get()
    assert position.quantity == fill.quantity - fill.taken == Decimal(held)
    assert position.fees == -position.realized_pnl == fill.taken * fill.price


def test_a_fee_in_base_that_only_rest_told_is_found(live_at_kraken: Live) -> None:
    live_at_kraken.venue.account.fee_in = BASE

    live_at_kraken.trade(Purpose.ENTRY)

    found = [words for _, words in live_at_kraken.differences()]
    assert any("BTC moved: ours 0.01" in words for words in found), found


def test_a_trade_that_kraken_took_back_is_found(live_at_kraken: Live) -> None:
    live_at_kraken.trade(Purpose.ENTRY)
    [order] = _filled(live_at_kraken.venue.account)
    fill = order.fills.pop()

    told = live_at_kraken.differences()

    assert ("foreign", f"trade {fill.trade_id}") in [
        (kind, words.split(":")[0]) for kind, words in told
    ]
    assert any(words.startswith(f"order {order.order_id}: filled") for _, words in told), told
