"""A look at an account of the scripted Coinbase: wallets by pages, vaults apart, orders of others."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.exchanges.coinbase_account import Account
from tests.exchanges.coinbase_wire import Wire
from tests.exchanges.test_coinbase_desk import Street
from trading.core.codes import Purpose
from trading.engine.errors import Refused
from trading.engine.sights import Holding, Stranger
from trading.exchanges.coinbase.errors import NoAnswer


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    wire = Wire()
    await wire.start()
    made = Street(Account(wire))
    await made.desk.open()
    yield made
    await made.rest.close()
    await wire.stop()


async def test_wallets_of_all_pages_are_added_up_and_vaults_are_not_there(street: Street) -> None:
    street.account.page = 1
    street.account.wallets = [
        ("USD", "FIAT", "900.5", "99.5"),
        ("BTC", "CRYPTO", "1", "0.25"),
        ("BTC", "VAULT", "50", "0"),
        ("BTC", "CRYPTO", "2", "0"),
    ]

    holdings = (await street.desk.look()).holdings

    assert holdings["USD"] == Holding(Decimal(1000), Decimal("900.5"))
    assert holdings["BTC"] == Holding(Decimal("3.25"), Decimal(3))


async def test_our_orders_are_ours_and_others_are_strangers(street: Street) -> None:
    await street.submit(Purpose.ENTRY, lots=100, ticks=299_000)
    size = {"base_size": "0.5", "limit_price": "99999"}
    body = {"client_order_id": "mine", "product_id": "BTC-USD", "side": "SELL"}
    made = street.account._new({**body, "order_configuration": {"limit_limit_gtc": size}})

    strangers = (await street.desk.look()).strangers

    assert strangers == (Stranger(made["order_id"], "BTC/USD", "SELL", Decimal("0.5")),)


async def test_an_odd_order_of_another_hides_neither_holdings_nor_our_own_orders(
    street: Street,
) -> None:
    await street.submit(Purpose.ENTRY, lots=100, ticks=299_000)
    (ours,) = street.account.orders
    size = {"base_size": "0.5", "limit_price": "99999"}
    body = {"client_order_id": "mine", "product_id": "BTC-USD", "side": "SELL"}
    made = street.account._new({**body, "order_configuration": {"limit_limit_gtc": size}})
    made |= {"order_configuration": {"a_new_kind": ["odd"]}, "filled_size": "all"}

    sight = await street.desk.look()

    assert [one.stands.venue_order_id for one in sight.resting] == [ours]
    assert sight.strangers == (Stranger(made["order_id"], "", "", Decimal(0)),)


async def test_a_wallet_that_cannot_be_read_is_no_look(street: Street) -> None:
    street.account.wallets = [("USD", "FIAT", "many", "0")]

    with pytest.raises(NoAnswer, match="wallet of USD has no available_balance"):
        await street.desk.look()


async def test_an_entry_beyond_what_is_free_never_leaves(street: Street) -> None:
    street.account.wallets = [("USD", "FIAT", "299", "1000000")]

    with pytest.raises(Refused, match=r"300\.00 USD where the account has 299\.00 free"):
        await street.submit(Purpose.ENTRY, lots=100)

    assert street.account.acts == []


@pytest.mark.parametrize("ahead", [-10.0, 0.0, 10.0])
async def test_the_clock_is_compared_to_the_millisecond(street: Street, ahead: float) -> None:
    wire = street.account.wire
    street.desk.account.wall_ns = lambda: int((wire.now_s + ahead) * 1e9)

    assert abs((await street.desk.look()).ahead_seconds - ahead) < 0.5
