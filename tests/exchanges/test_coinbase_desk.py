"""Orders at a scripted Coinbase: sent once, never doubled, stops moved without selling twice."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
import pytest

from tests.engine.fakes import spec
from tests.exchanges.coinbase_account import NAME, SECRET, Account, verify
from tests.exchanges.coinbase_wire import Wire
from tests.exchanges.test_coinbase_feed import WireTime
from trading.chaos.wires import BOUNDLESS
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.batches import Known, OpenIntent
from trading.engine.errors import CannotTrade, NotSent, OutcomeUnknown, Refused
from trading.engine.messages import FeedChange, FillReport, OrderRequest, PriceTick
from trading.exchanges import sockets
from trading.exchanges.coinbase import cancels, live
from trading.exchanges.coinbase.call_rate import CallRate
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.errors import ApiError
from trading.exchanges.coinbase.live import CoinbaseVenue
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import Signer

NS = 1_000_000_000
STOP, MARKET, LIMIT = "stop_limit_stop_limit_gtc", "market_market_ioc", "limit_limit_gtc"


@pytest.fixture
async def account(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    monkeypatch.setattr(cancels, "CONFIRM_PAUSES", (0.001,) * 6)
    monkeypatch.setattr(live, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 0.6)
    monkeypatch.setattr(sockets, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("trading.exchanges.coinbase.rest.FIRST_PAUSE_SECONDS", 0.001)
    wire = Wire()
    await wire.start()
    yield Account(wire)
    await wire.stop()


class Street:
    """A desk, open, and what it told."""

    def __init__(self, account: Account) -> None:
        clock = WireTime(account.wire)
        signer = Signer(name=NAME, secret=SECRET)
        self.account = account
        calls = CallRate(BOUNDLESS)
        self.rest = CoinbaseRest(url=account.wire.rest_url, clock=clock, signer=signer, calls=calls)
        self.desk = CoinbaseDesk(rest=self.rest, specs=[spec()], clock=clock)
        self.told: list[FillReport] = []
        self.desk.inquiry.tell = self.told.append
        self.desk.last_prices[0] = Decimal(30_000)
        self.seq = 0

    def order(self, purpose: Purpose, *, lots: int = 1000, ticks: int = 0) -> OrderRequest:
        self.seq += 1
        return OrderRequest(
            market=0,
            seq=self.seq,
            client_order_id=str(uuid5(NAMESPACE_URL, str(self.seq))),
            at_ns=int(self.account.wire.now_s * NS),
            purpose=purpose,
            side=Side.BUY if purpose == Purpose.ENTRY else Side.SELL,
            quantity_lots=lots,
            price_ticks=ticks,
            expires_ns=0,
            replaces_seq=0,
            reason=ExitReason.NONE,
            deadline_ns=2**62,
        )

    async def submit(self, purpose: Purpose, **more: Any) -> OrderRequest:
        order = self.order(purpose, **more)
        await self.desk.submit(order)
        return order

    def ends(self) -> list[int]:
        return [one.intent_seq for one in self.told if one.final and not one.quantity_lots]

    def sold(self) -> int:
        return sum(one.quantity_lots for one in self.told)

    async def look_at(self, venue_id: str) -> None:
        """What became of an order, as the stream would ask for it."""
        await self.desk.inquiry.look_at(self.desk.known.by_id[venue_id])

    def book(self) -> None:
        """The engine has heard of everything."""
        self.desk.known.leaving.clear()

    async def lookup(self, order: OrderRequest) -> Known:
        return (await self.desk.inquiry.lookup(order)).known


@pytest.fixture
async def street(account: Account) -> AsyncIterator[Street]:
    made = Street(account)
    await made.desk.open()
    yield made
    await made.rest.close()


# Admission


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ({"can_transfer": True}, "the key may transfer money away"),
        ({"can_transfer": None}, "the key may transfer money away"),
        ({"can_trade": False}, "the key may not trade; grant it at Coinbase"),
        ({"can_view": False, "can_trade": False}, "the key may not view or trade"),
    ],
)
async def test_a_key_with_a_right_too_few_or_too_many_is_one_sentence(
    account: Account, rights: dict[str, Any], words: str
) -> None:
    account.rights |= rights
    street = Street(account)

    with pytest.raises(CannotTrade, match=words):
        await street.desk.open()
    assert not street.desk.is_open
    await street.rest.close()


async def test_a_key_the_venue_does_not_know_is_one_sentence(account: Account) -> None:
    street = Street(account)
    street.rest._signer = Signer(name="organizations/other/apiKeys/x", secret=SECRET)

    with pytest.raises(CannotTrade, match="does not accept the key: Unauthorized"):
        await street.desk.open()
    assert len(account.tokens) == 2  # a fresh one once, and no more
    await street.rest.close()


async def test_a_shut_product_is_one_sentence(account: Account) -> None:
    account.wire.products[0]["trading_disabled"] = True
    street = Street(account)

    with pytest.raises(CannotTrade, match="BTC/USD does not trade at Coinbase now"):
        await street.desk.open()
    await street.rest.close()


# Placing


async def test_orders_are_placed_once_and_named(street: Street) -> None:
    entry = await street.submit(Purpose.ENTRY, ticks=299_000)
    stop = await street.submit(Purpose.PROTECT, ticks=290_000)

    made = street.account.orders
    assert [o["client_order_id"] for o in made.values()] == [
        entry.client_order_id,
        stop.client_order_id,
    ]
    assert all(str(UUID(o["client_order_id"])) == o["client_order_id"] for o in made.values())
    known = street.desk.known.of(0, entry.seq)
    assert known is not None
    assert known.venue_id == "order-1"
    assert (street.account.sizes(LIMIT), street.account.sizes(STOP)) == (["0.1"], ["0.1"])
    assert len(set(street.account.tokens)) == len(street.account.tokens)


@pytest.mark.parametrize(
    ("fault", "kind", "is_there"),
    [
        ("lost", OutcomeUnknown, False),
        ("reply lost", OutcomeUnknown, True),
        ("503 afterwards", OutcomeUnknown, True),
        ("not json", OutcomeUnknown, True),
        ("429", NotSent, False),
        ("400", Refused, False),
    ],
)
async def test_whatever_becomes_of_an_answer_the_order_is_sent_once(
    street: Street, fault: str, kind: type[Exception], is_there: bool
) -> None:
    street.account.faults["POST /orders"] = [fault]

    with pytest.raises(kind):
        await street.submit(Purpose.PROTECT, ticks=290_000)

    assert len(street.account.orders) == is_there
    asked = [what for what, _ in street.account.wire.asked if what == "POST /orders"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("INSUFFICIENT_FUND", Refused),
        ("SOMETHING_NEW", Refused),
        ("PRODUCT_TRADING_HALTED", NotSent),
        ("DUPLICATE_CLIENT_ORDER_ID", OutcomeUnknown),
    ],
)
async def test_a_refusal_comes_with_status_200(
    street: Street, word: str, kind: type[Exception]
) -> None:
    street.account.faults["refuse"] = [word]

    with pytest.raises(kind, match=word):
        await street.submit(Purpose.PROTECT, ticks=290_000)


async def test_an_unreachable_venue_was_sent_nothing(street: Street) -> None:
    await street.account.wire.stop()

    with pytest.raises(NotSent, match="cannot be reached"):
        await street.submit(Purpose.PROTECT, ticks=290_000)


async def test_a_stale_token_is_made_anew_once(street: Street) -> None:
    now_s = street.account.wire.now_s
    street.rest._clock = hearing = WireTime(street.account.wire)
    times = iter([now_s - 500, now_s])
    hearing.now_ns = lambda: int(next(times) * NS)  # type: ignore[method-assign]

    await street.submit(Purpose.PROTECT, ticks=290_000)

    assert len(street.account.orders) == 1
    assert len(set(street.account.tokens[-2:])) == 2


async def test_the_venue_refuses_an_order_that_hung_on_its_way(street: Street) -> None:
    now_s = int(street.account.wire.now_s)
    order = msgspec.structs.replace(
        street.order(Purpose.PROTECT, ticks=290_000), send_by_ns=(now_s + 4) * NS
    )

    await street.desk.submit(order)

    claims = street.account.tokens[-1].split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (told["nbf"], told["exp"]) == (now_s, now_s + 4)


async def test_what_was_refused_for_its_token_is_not_sent_again_too_late(street: Street) -> None:
    now_s = int(street.account.wire.now_s)
    order = msgspec.structs.replace(
        street.order(Purpose.PROTECT, ticks=290_000), send_by_ns=(now_s - 490) * NS
    )
    street.rest._clock = hearing = WireTime(street.account.wire)
    times = iter([now_s - 500, now_s])
    hearing.now_ns = lambda: int(next(times) * NS)  # type: ignore[method-assign]
    street.desk.clock = WireTime(street.account.wire)
    street.desk.clock.now_ns = lambda: (now_s - 500) * NS  # type: ignore[method-assign]

    with pytest.raises(NotSent, match="too late"):
        await street.desk.submit(order)

    assert street.account.orders == {}


@pytest.mark.parametrize("flag", ["cancel_only", "limit_only", "post_only", "view_only"])
async def test_nothing_is_entered_where_it_could_not_be_left(street: Street, flag: str) -> None:
    street.account.wire.products[0][flag] = True

    with pytest.raises(Refused, match=f"BTC-USD: {flag}"):
        await street.submit(Purpose.ENTRY, ticks=299_000)
    await street.submit(Purpose.PROTECT, ticks=290_000)  # what is held is protected all the same

    assert len(street.account.orders) == 1


async def test_caps_hold_before_anything_is_signed(street: Street) -> None:
    before = len(street.account.tokens)

    with pytest.raises(Refused, match="notional"):
        await street.submit(Purpose.ENTRY, lots=10**9, ticks=299_000)

    assert len(street.account.tokens) == before


# What became of it


async def test_an_order_is_found_by_its_client_id_on_any_page(street: Street) -> None:
    street.account.page = 3
    street.account.faults["POST /orders"] = ["reply lost"]
    lost = street.order(Purpose.ENTRY, ticks=299_000)
    with pytest.raises(OutcomeUnknown):
        await street.desk.submit(lost)
    for _ in range(10):
        await street.submit(Purpose.ENTRY, ticks=299_000)
    sent = len(street.account.acts)

    evidence = await street.desk.inquiry.lookup(lost)

    assert (evidence.known, evidence.venue_order_id) == (Known.WORKING, "order-1")
    assert len(street.account.acts) == sent


async def test_an_order_that_filled_meanwhile_brings_its_fills(street: Street) -> None:
    street.account.faults["POST /orders"] = ["reply lost"]
    order = street.order(Purpose.EXIT)
    with pytest.raises(OutcomeUnknown):
        await street.desk.submit(order)

    evidence = await street.desk.inquiry.lookup(order)

    assert evidence.known is Known.OVER
    assert [(one.quantity_lots, one.final) for one in evidence.news] == [(1000, 1)]
    assert evidence.news[0].venue_trade_id == "entry-1"
    assert (await street.desk.inquiry.lookup(order)).news == ()


async def test_while_its_fills_are_not_listed_it_is_not_over(street: Street) -> None:
    street.account.faults["POST /orders"] = ["reply lost"]
    street.account.hides_fills = 1
    order = street.order(Purpose.EXIT)
    with pytest.raises(OutcomeUnknown):
        await street.desk.submit(order)

    assert await street.lookup(order) is Known.UNDECIDED
    assert await street.lookup(order) is Known.OVER


async def test_absence_is_believed_late_and_not_at_once(street: Street) -> None:
    street.account.faults["POST /orders"] = ["lost"]
    order = street.order(Purpose.PROTECT, ticks=290_000)
    with pytest.raises(OutcomeUnknown):
        await street.desk.submit(order)

    assert [await street.lookup(order) for _ in range(4)] == [Known.UNDECIDED] * 4
    street.account.wire.now_s += 31
    assert await street.lookup(order) is Known.UNDECIDED
    assert await street.lookup(order) is Known.ABSENT
    assert street.account.orders == {}


@pytest.mark.parametrize("fault", ["429", "503 afterwards", "not json", "lost"])
async def test_a_list_that_cannot_be_had_decides_nothing(street: Street, fault: str) -> None:
    order = street.order(Purpose.PROTECT, ticks=290_000)
    street.account.wire.now_s += 100
    street.account.faults["GET /orders/historical/batch"] = [fault] * 3

    assert await street.lookup(order) is Known.UNDECIDED


@pytest.mark.parametrize("word", ["UNKNOWN_ORDER_STATUS", "SOMETHING_NEW"])
async def test_a_status_nobody_knows_ends_no_order(street: Street, word: str) -> None:
    order = await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.status_word = word

    assert await street.lookup(order) is Known.WORKING
    assert await street.desk.inquiry.catch_up() == []


async def test_fills_are_told_once_though_they_come_in_pages_and_again(street: Street) -> None:
    street.account.page = 2
    entry = await street.submit(Purpose.ENTRY, ticks=299_000)
    for _ in range(5):
        street.account.fill("order-1", "0.01")

    first = await street.desk.inquiry.catch_up()
    again = await street.desk.inquiry.catch_up()
    street.account.fill("order-1", "0.05")
    rest = await street.desk.inquiry.catch_up()

    assert [one.quantity_lots for one in first] == [100] * 5
    assert again == []
    assert [(one.quantity_lots, one.final, one.intent_seq) for one in rest] == [(500, 1, entry.seq)]


async def test_what_was_booked_before_a_restart_is_not_told_again(street: Street) -> None:
    order = street.order(Purpose.ENTRY, ticks=299_000)
    await street.desk.submit(order)
    street.account.fill("order-1", "0.03", entry="booked")
    street.account.fill("order-1", "0.02", entry="new")
    second = Street(street.account)
    second.desk.known.adopt(
        [OpenIntent(order, "WORKING", "order-1")], ["booked"], open_={"WORKING"}
    )
    await second.desk.open()

    told = await second.desk.inquiry.catch_up()

    assert [one.venue_trade_id for one in told] == ["new"]
    await second.rest.close()


async def test_a_catch_up_that_fails_half_way_loses_nothing(street: Street) -> None:
    for _ in range(2):
        await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.fill("order-1", "0.03")
    street.account.faults["GET /orders/historical/order-2"] = ["400"]

    with pytest.raises(ApiError):
        await street.desk.inquiry.catch_up()

    assert [one.quantity_lots for one in await street.desk.inquiry.catch_up()] == [300]


# Stops


def acts(street: Street) -> list[str]:
    return [what for what, _ in street.account.acts]


async def test_a_stop_is_moved_by_taking_the_old_one_away_first(street: Street) -> None:
    old = await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.looks_until_cancelled = 3

    await street.submit(Purpose.MOVE_STOP, ticks=291_000)

    assert acts(street) == ["place", "cancel", "place"]
    made = list(street.account.orders.values())
    assert [o["status"] for o in made] == ["CANCELLED", "OPEN"]
    assert street.ends() == [old.seq]
    stop = street.desk.known.stop_of(0)
    assert stop is not None
    assert stop.venue_id == "order-2"


async def test_a_stop_that_rests_as_asked_stays(street: Street) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)

    moved = await street.submit(Purpose.MOVE_STOP, ticks=290_000)

    assert acts(street) == ["place"]
    known = street.desk.known.of(0, moved.seq)
    assert known is not None
    assert known.venue_id == "order-1"


async def test_a_stop_past_the_price_is_refused_and_the_old_one_rests(street: Street) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)

    with pytest.raises(Refused, match=r"30010\.0 is past the last price, 30000; the old one rests"):
        await street.submit(Purpose.MOVE_STOP, ticks=300_100)

    assert acts(street) == ["place"]


@pytest.mark.parametrize("purpose", [Purpose.MOVE_STOP, Purpose.EXIT, Purpose.REDUCE])
async def test_a_stop_that_will_not_go_keeps_others_out(street: Street, purpose: Purpose) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.looks_until_cancelled = 1000

    with pytest.raises(NotSent, match="not carried out yet"):
        await street.submit(purpose, ticks=291_000 if purpose == Purpose.MOVE_STOP else 0)

    assert acts(street) == ["place", "cancel"]
    assert street.told == []


@pytest.mark.parametrize("fault", ["lost", "reply lost", "503 afterwards", "429"])
async def test_a_cancellation_nobody_can_tell_of_keeps_others_out(
    street: Street, fault: str
) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.faults["POST /orders/batch_cancel"] = [fault]

    with pytest.raises(NotSent, match="could not be taken away"):
        await street.submit(Purpose.EXIT)
    assert street.account.sizes(MARKET) == []
    await street.submit(Purpose.EXIT)  # asked for again, it is carried out

    assert street.account.sizes(MARKET) == ["0.1"]
    assert street.account.orders["order-1"]["status"] == "CANCELLED"


@pytest.mark.parametrize("purpose", [Purpose.MOVE_STOP, Purpose.EXIT, Purpose.REDUCE])
@pytest.mark.parametrize("sold", ["0.1", "0.04"])
async def test_a_stop_that_sold_meanwhile_is_never_sold_again(
    street: Street, purpose: Purpose, sold: str
) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.fill("order-1", sold)
    order = street.order(purpose, ticks=291_000 if purpose == Purpose.MOVE_STOP else 0)

    with pytest.raises(OutcomeUnknown, match="its stop has filled"):
        await street.desk.submit(order)

    assert acts(street) == ["place", "cancel"]
    assert street.sold() == int(Decimal(sold) * 10_000)
    assert await street.lookup(order) is Known.UNDECIDED
    street.book()
    assert await street.lookup(order) is Known.ABSENT


async def test_fills_of_the_stop_that_are_not_listed_yet_are_waited_for(street: Street) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.fill("order-1", "0.1")
    street.account.hides_fills = 3

    with pytest.raises(OutcomeUnknown, match="its stop has filled"):
        await street.submit(Purpose.EXIT)

    assert street.sold() == 1000
    assert street.account.sizes(MARKET) == []


async def test_an_exit_sells_after_its_stop_is_gone(street: Street) -> None:
    stop = await street.submit(Purpose.PROTECT, ticks=290_000)

    await street.submit(Purpose.EXIT)

    assert acts(street) == ["place", "cancel", "place"]
    assert street.ends() == [stop.seq]


async def test_a_part_is_sold_and_the_rest_protected_again(street: Street) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)

    await street.submit(Purpose.REDUCE, lots=400)
    await street.look_at("order-2")
    street.book()
    assert street.ends() == []  # the core goes on with its stop, and moves it to the rest
    await street.submit(Purpose.MOVE_STOP, lots=600, ticks=290_000)

    assert acts(street) == ["place", "cancel", "place", "place"]
    assert street.account.sizes(STOP) == ["0.1", "0.06"]
    assert street.account.sizes(MARKET) == ["0.04"]


async def test_a_stop_moved_in_the_step_of_a_sale_covers_what_remains(street: Street) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)
    await street.submit(Purpose.REDUCE, lots=400)

    await street.submit(Purpose.MOVE_STOP, lots=1000, ticks=291_000)  # as the core still counts
    street.book()
    await street.submit(Purpose.MOVE_STOP, lots=600, ticks=291_000)

    assert street.account.sizes(STOP) == ["0.1", "0.06"]
    assert acts(street) == ["place", "cancel", "place", "place"]


class SlowAnswer:
    """The venue's answer about an order takes so long that others hear of it first."""

    def __init__(self, street: Street, venue_id: str, sold: str) -> None:
        self._street, self._venue_id, self._sold = street, venue_id, sold
        self._path = "GET /orders/historical/"
        self._answer = street.account.wire.answers[self._path]
        street.account.wire.answers[self._path] = self

    async def __call__(self, request: Any, body: Any) -> Any:
        self._street.account.wire.answers[self._path] = self._answer
        told = await self._answer(request, body)
        self._street.account.fill(self._venue_id, self._sold)
        await self._street.look_at(self._venue_id)
        return told


async def test_a_stop_that_is_moved_is_not_of_what_was_sold_while_the_old_one_was_looked_at(
    street: Street,
) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)
    SlowAnswer(street, "order-1", "0.04")

    await street.submit(Purpose.MOVE_STOP, lots=1000, ticks=291_000)  # planned before it sold

    assert street.account.sizes(STOP) == ["0.1", "0.06"]
    assert street.account.orders["order-1"]["status"] == "CANCELLED"


async def test_nothing_is_moved_of_which_all_was_sold_while_it_was_looked_at(
    street: Street,
) -> None:
    await street.submit(Purpose.PROTECT, ticks=290_000)
    SlowAnswer(street, "order-1", "0.1")

    with pytest.raises(OutcomeUnknown, match="all of it was sold"):
        await street.submit(Purpose.MOVE_STOP, lots=1000, ticks=291_000)

    assert street.account.sizes(STOP) == ["0.1"]


@pytest.mark.parametrize("purpose", [Purpose.MOVE_STOP, Purpose.EXIT, Purpose.REDUCE])
async def test_while_a_stop_may_still_arrive_nothing_else_is_offered(
    street: Street, purpose: Purpose
) -> None:
    street.account.faults["POST /orders"] = ["late"]
    stop = street.order(Purpose.PROTECT, ticks=290_000)
    with pytest.raises(OutcomeUnknown):
        await street.desk.submit(stop)

    for _ in range(2):
        assert await street.lookup(stop) is Known.UNDECIDED
        with pytest.raises(NotSent, match="a stop or a sale of it has no answer yet"):
            await street.submit(purpose, ticks=291_000 if purpose == Purpose.MOVE_STOP else 0)
    street.account.let_arrive()
    assert await street.lookup(stop) is Known.WORKING
    await street.submit(purpose, lots=1000, ticks=291_000 if purpose == Purpose.MOVE_STOP else 0)

    assert street.account.orders["order-1"]["status"] == "CANCELLED"
    assert sum(one["side"] == "SELL" for one in street.account.orders.values()) == 2


async def test_a_stop_that_did_not_arrive_in_time_keeps_nothing_back(street: Street) -> None:
    street.account.faults["POST /orders"] = ["lost"]
    stop = street.order(Purpose.PROTECT, ticks=290_000)
    with pytest.raises(OutcomeUnknown):
        await street.desk.submit(stop)
    street.account.wire.now_s += 31

    assert [await street.lookup(stop) for _ in range(2)] == [Known.UNDECIDED, Known.ABSENT]
    await street.submit(Purpose.EXIT)

    assert street.account.sizes(MARKET) == ["0.1"]


async def test_what_an_earlier_life_may_have_sent_keeps_others_back(street: Street) -> None:
    stop = street.order(Purpose.PROTECT, ticks=290_000)
    adopted = [OpenIntent(stop, "UNKNOWN")]
    street.desk.known.adopt(adopted, (), open_={"PLANNED", "UNKNOWN", "WORKING"})

    with pytest.raises(NotSent, match="a stop or a sale of it has no answer yet"):
        await street.submit(Purpose.EXIT)


async def test_while_a_sale_has_no_answer_no_stop_is_placed(street: Street) -> None:
    street.account.faults["POST /orders"] = ["reply lost"]
    sale = street.order(Purpose.REDUCE, lots=400)
    with pytest.raises(OutcomeUnknown):
        await street.desk.submit(sale)

    with pytest.raises(NotSent, match="a stop or a sale of it has no answer yet"):
        await street.submit(Purpose.PROTECT, ticks=290_000)
    assert await street.lookup(sale) is Known.OVER
    street.book()
    await street.submit(Purpose.PROTECT, lots=600, ticks=290_000)

    assert street.account.sizes(STOP) == ["0.06"]


async def test_nothing_is_protected_once_all_of_it_was_sold(street: Street) -> None:
    street.desk.known.leaving[0] = 1000

    with pytest.raises(OutcomeUnknown, match="all of it was sold"):
        await street.submit(Purpose.PROTECT, ticks=290_000)

    assert street.account.acts == []


async def test_what_is_sold_and_not_booked_holds_back_what_would_sell_again(
    street: Street,
) -> None:
    street.desk.known.leaving[0] = 400
    order = street.order(Purpose.EXIT)

    with pytest.raises(OutcomeUnknown, match="not booked yet"):
        await street.desk.submit(order)
    assert await street.lookup(order) is Known.UNDECIDED
    street.book()
    assert await street.lookup(order) is Known.ABSENT

    assert street.account.acts == []


# Cancelling


async def test_a_cancellation_is_seen_to_its_end(street: Street) -> None:
    entry = await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.looks_until_cancelled = 3

    assert await street.desk.cancel(market=0, seq=entry.seq)

    assert street.account.orders["order-1"]["status"] == "CANCELLED"
    assert street.ends() == [entry.seq]
    assert not await street.desk.cancel(market=0, seq=entry.seq)


async def test_what_a_cancelled_entry_had_got_is_booked_before_it_counts_as_cancelled(
    street: Street,
) -> None:
    entry = await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.fill("order-1", "0.03")

    assert not await street.desk.cancel(market=0, seq=entry.seq)  # its fill is to be booked first

    assert [(one.quantity_lots, one.final) for one in street.told] == [(300, 0), (0, 1)]


async def test_an_accepted_cancellation_whose_end_nobody_sees_is_not_believed(
    street: Street,
) -> None:
    entry = await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.looks_until_cancelled = 1000

    assert not await street.desk.cancel(market=0, seq=entry.seq)
    assert street.told == []

    street.account.fill("order-1", "0.03")
    street.account.orders["order-1"]["looks"] = 0
    told = await street.desk.inquiry.catch_up()

    assert [(one.quantity_lots, one.final) for one in told] == [(300, 0), (0, 1)]


async def test_an_order_that_fills_before_it_is_cancelled_was_not(street: Street) -> None:
    entry = await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.fills_instead = True

    assert not await street.desk.cancel(market=0, seq=entry.seq)

    assert [(one.quantity_lots, one.final) for one in street.told] == [(1000, 1)]


async def test_a_filled_or_unknown_order_is_not_cancelled(street: Street) -> None:
    entry = await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.fill("order-1", "0.1")

    assert not await street.desk.cancel(market=0, seq=entry.seq)
    assert not await street.desk.cancel(market=0, seq=99)


# The stream


class Quiet:
    """A feed that tells one price and then nothing."""

    async def news(self, *, after_ns: Any) -> AsyncIterator[Any]:
        yield PriceTick(0, 1, 30_000.0)
        await asyncio.sleep(60)

    async def close(self) -> None:
        return None


class Stream:
    """The venue's messages, gathered."""

    def __init__(self, street: Street) -> None:
        feed: Any = Quiet()
        self.account = street.account
        socket = f"{street.account.wire.ws_url}/user"
        self.venue = CoinbaseVenue(desk=street.desk, feed=feed, ws_url=socket)
        self.heard: list[Any] = []
        self.task = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        async for one in self.venue.messages(after_ns={}):
            self.heard.append(one)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.005)

    def fills(self) -> list[tuple[int, int]]:
        news = [one for one in self.heard if isinstance(one, FillReport)]
        return [(one.quantity_lots, one.final) for one in news]

    def ups(self) -> list[bool]:
        return [one.is_up for one in self.heard if isinstance(one, FeedChange)]


@pytest.fixture
async def stream(street: Street) -> AsyncIterator[Stream]:
    made = Stream(street)
    await made.until(lambda: made.ups() == [True])
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)


async def test_each_subscription_carries_a_token_without_a_request(stream: Stream) -> None:
    asked = stream.account.wire.subscribed

    assert [one["channel"] for one in asked] == ["user", "heartbeats"]
    assert len({one["jwt"] for one in asked}) == 2
    for one in asked:
        assert verify(one["jwt"], uri=None, now_s=stream.account.wire.now_s) == ""


async def test_fills_the_stream_hints_at_are_told_once(street: Street, stream: Stream) -> None:
    await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.hides_fills = 3  # the list is behind the stream

    street.account.fill("order-1", "0.03")
    await street.account.say("order-1")
    await stream.until(lambda: stream.fills() == [(300, 0)])
    old = street.account.seen("order-1")
    street.account.fill("order-1", "0.07")
    await street.account.say("order-1")
    await stream.until(lambda: stream.fills() == [(300, 0), (700, 1)])
    for _ in range(3):  # replayed, and out of order
        await street.account.say("order-1")
        await street.account.say("order-1", **old)
    await asyncio.sleep(0.05)

    assert street.desk.inquiry.heard_lots == {"order-1": 1000}

    assert stream.fills() == [(300, 0), (700, 1)]


async def test_an_end_waits_until_every_fill_is_listed(street: Street, stream: Stream) -> None:
    await street.submit(Purpose.ENTRY, ticks=299_000)
    street.account.fill("order-1", "0.03")
    street.account.orders["order-1"]["status"] = "EXPIRED"
    street.account.hides_fills = 4

    await street.account.say("order-1")
    await stream.until(lambda: len(stream.fills()) == 2)

    assert stream.fills() == [(300, 0), (0, 1)]


async def test_a_gap_is_told_and_what_was_missed_is_fetched(street: Street, stream: Stream) -> None:
    await street.submit(Purpose.ENTRY, ticks=299_000)
    lost = [1]
    street.account.wire.spoil = lambda frame: (
        [] if frame["channel"] == "user" and lost and lost.pop() else [frame]
    )
    street.account.fill("order-1", "0.1")
    await street.account.say("order-1")

    await stream.until(lambda: stream.ups() == [True, False, True])

    assert stream.fills() == [(1000, 1)]


async def test_open_orders_of_any_number_of_batches_are_heard(
    street: Street, stream: Stream
) -> None:
    street.desk.caps.entries_per_minute = 1000
    for _ in range(3):
        await street.submit(Purpose.ENTRY, lots=100, ticks=299_000)
    strangers = [
        {"order_id": f"s{n}", "status": "OPEN", "cumulative_quantity": "1"} for n in range(97)
    ]

    def batches() -> list[dict[str, Any]]:
        mine = [street.account.seen(f"order-{n}") for n in (1, 2, 3)]
        rows = [*strangers, *mine]
        return [{"type": "snapshot", "orders": part} for part in (rows[:50], rows[50:], [])]

    street.account.wire.snapshot = batches  # type: ignore[method-assign]
    street.account.fill("order-2", "0.004")
    await street.account.wire.drop()

    await stream.until(lambda: stream.ups() == [True, False, True])
    await stream.until(lambda: stream.fills() == [(40, 0)])


async def test_odd_news_is_left_out(street: Street, stream: Stream) -> None:
    await street.submit(Purpose.ENTRY, ticks=299_000)
    odd: list[Any] = [7, {}, {"order_id": "order-1"}]
    odd += [street.account.seen("order-1") | {"cumulative_quantity": "many"}]
    odd += [street.account.seen("order-1") | {"status": "SOMETHING_NEW", "order_type": "NEW"}]
    await street.account.wire.tell("user", {"type": "something_new", "orders": odd})
    await street.account.wire.tell("user", {"type": "update", "orders": None})
    street.account.fill("order-1", "0.1")
    await street.account.say("order-1")

    await stream.until(lambda: stream.fills() == [(1000, 1)])
    assert stream.ups() == [True]


async def test_a_triggered_stop_that_nobody_takes_is_given_back(
    street: Street, stream: Stream
) -> None:
    stop = await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.orders["order-1"]["trigger_status"] = "STOP_TRIGGERED"
    await street.account.say("order-1")
    await asyncio.sleep(0.1)
    assert street.account.orders["order-1"]["status"] == "OPEN"  # it may fill yet

    street.account.wire.now_s += 4
    await stream.until(lambda: stream.fills() == [(0, 1)])

    assert street.account.orders["order-1"]["status"] == "CANCELLED"
    assert [one.intent_seq for one in stream.heard if isinstance(one, FillReport)] == [stop.seq]


async def test_what_was_sold_counts_as_leaving_until_the_engine_has_booked_it(
    street: Street,
) -> None:
    stream = Stream(street)
    stream.task.cancel()
    await asyncio.gather(stream.task, return_exceptions=True)
    await street.submit(Purpose.PROTECT, ticks=290_000)
    street.account.fill("order-1", "0.1")
    await street.desk.inquiry.look_at(street.desk.known.by_id["order-1"])

    assert street.desk.known.leaving[0] == 1000
    with pytest.raises(OutcomeUnknown, match="not booked yet"):
        await street.submit(Purpose.EXIT)
    async with aclosing(stream.venue.messages(after_ns={})) as messages:
        while not isinstance(report := await anext(messages), FillReport):
            pass
        assert street.desk.known.leaving[0] == 1000  # it waits for its turn
        stream.venue.booked(report)

        assert street.desk.known.leaving[0] == 0
