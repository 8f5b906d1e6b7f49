"""Orders over Kraken's private socket: one road for each intent, and an answer only for who asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from tests.engine.fakes import spec
from tests.exchanges.bench import WireBench, seat
from tests.exchanges.street import KEY, SECRET, oracle
from trading.chaos.wires import KRAKEN_SOCKET
from trading.core.codes import Purpose, Side
from trading.engine.batches import Known
from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.engine.messages import OrderRequest
from trading.exchanges.kraken import frames, orders
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.socket_road import SocketRoad
from trading.exchanges.simulator.accounts import RIGHTS

ENTRY, PROTECT, MOVE, EXIT = Purpose.ENTRY, Purpose.PROTECT, Purpose.MOVE_STOP, Purpose.EXIT
BY_REST = ("AddOrder", "AmendOrder", "CancelOrder")
BY_SOCKET = ("add_order", "amend_order", "cancel_order")


@pytest.fixture
async def bench() -> AsyncIterator[WireBench]:
    async with seat(KRAKEN_SOCKET) as made:
        await made.listen()
        yield made


def road(bench: WireBench) -> SocketRoad:
    return bench.venue._desk.socket  # type: ignore[attr-defined]


def asked(bench: WireBench, names: tuple[str, ...]) -> list[str]:
    """What came to the venue under these names."""
    return [event["method"] for event in oracle(bench.simulator, "request")
            if event["method"] in names]  # fmt: skip


async def test_a_position_lives_over_the_socket_alone(bench: WireBench) -> None:
    stop = await bench.protected()
    await bench.venue.submit(bench.order(MOVE, 400, price_ticks=stop.price_ticks + 500))
    await bench.venue.submit(bench.order(EXIT, 400))
    await bench.until(lambda: sum(one.quantity_lots for one in bench.fills) == 800)

    assert asked(bench, BY_SOCKET) == [
        "add_order", "add_order", "amend_order", "cancel_order", "add_order"
    ]  # fmt: skip
    assert asked(bench, BY_REST) == []


async def test_without_the_socket_orders_go_by_rest_and_come_back_to_it(bench: WireBench) -> None:
    bench.simulator.close_sockets()
    await bench.until(lambda: not road(bench).is_ready)

    await bench.venue.submit(bench.order(ENTRY, 400))
    await bench.until(lambda: road(bench).is_ready)
    await bench.venue.submit(bench.order(ENTRY, 300))

    assert (asked(bench, BY_REST), asked(bench, BY_SOCKET)) == (["AddOrder"], ["add_order"])


async def test_a_socket_that_says_nothing_is_behind(bench: WireBench) -> None:
    bench.simulator.silence(60)
    road(bench)._heard_at -= 3.0  # as long as nothing was heard

    await bench.venue.submit(bench.order(ENTRY, 400))

    assert asked(bench, BY_REST) == ["AddOrder"]


@pytest.mark.parametrize("kind", ["request_lost", "reply_lost", "reply_dropped"])
async def test_what_left_by_the_socket_is_never_sent_by_the_other_road(
    bench: WireBench, kind: str
) -> None:
    bench.arm(kind, "add_order")
    order = bench.order(ENTRY, 400)

    with pytest.raises(OutcomeUnknown):
        await bench.venue.submit(order)
    evidence = await bench.settled(order)

    assert evidence.known is (Known.ABSENT if kind == "request_lost" else Known.OVER)
    assert asked(bench, BY_REST) == []
    assert len(oracle(bench.simulator, "order")) == (kind != "request_lost")


@pytest.mark.parametrize(("seconds", "known"), [(4.0, Known.WORKING), (12.0, Known.ABSENT)])
async def test_a_stop_that_arrives_after_it_was_given_up_rests_once_or_never(
    bench: WireBench, seconds: float, known: Known
) -> None:
    await bench.bought()
    stop = bench.order(PROTECT, 400, price_ticks=bench.last_ticks - 2000)
    bench.arm("request_late", "add_order", seconds=seconds)

    with pytest.raises(OutcomeUnknown):
        await bench.submit(stop)
    with pytest.raises(NotSent, match="has no answer yet"):
        await bench.submit(bench.order(EXIT, 400))
    assert bench.working == []
    bench.wait(seconds + 1)
    evidence = await bench.settled(stop)

    assert evidence.known is known  # the venue takes it within its deadline, and not afterwards
    assert len(bench.working) == (known is Known.WORKING)
    assert asked(bench, BY_SOCKET) == ["add_order", "add_order"]


async def test_an_amendment_that_arrives_after_it_was_given_up_is_found(bench: WireBench) -> None:
    stop = await bench.protected()
    move = bench.order(MOVE, 400, price_ticks=stop.price_ticks + 500)
    bench.arm("request_late", "amend_order", seconds=4.0)

    with pytest.raises(OutcomeUnknown):
        await bench.submit(move)
    (rests,) = bench.working
    assert rests.price == stop.price_ticks * spec().tick_size
    bench.wait(5)
    evidence = await bench.settled(move)

    assert (evidence.known, evidence.venue_order_id) == (Known.WORKING, rests.order_id)
    assert rests.price == move.price_ticks * spec().tick_size


async def test_a_cancellation_that_arrives_after_it_was_given_up_ends_its_order_by_news(
    bench: WireBench,
) -> None:
    order = bench.order(ENTRY, 400, price_ticks=bench.last_ticks - 2000)
    await bench.submit(order)
    bench.arm("request_late", "cancel_order", seconds=4.0)

    assert not await bench.venue.cancel(market=0, seq=order.seq)
    await bench.until(lambda: road(bench).is_ready)
    assert len(bench.working) == 1
    bench.wait(5)
    await bench.until(lambda: any(getattr(one, "final", 0) for one in bench.heard))

    assert bench.working == []


async def test_a_road_that_ends_on_the_way_is_not_left_for_the_other(bench: WireBench) -> None:
    await bench.protected()
    bench.arm("drop", "executions")  # the news that the stop is gone: the socket is not trusted on
    taken = road(bench)

    async def gone(venue_id: str) -> None:
        await cancel(venue_id)
        taken.leave("lost between the two requests of an exit")

    cancel, taken.cancel = taken.cancel, gone  # type: ignore[method-assign]

    with pytest.raises(NotSent, match="the socket is closed"):
        await bench.venue.submit(bench.order(EXIT, 400))

    assert asked(bench, BY_REST) == []


async def test_an_answer_that_comes_after_the_next_connection_settles_nothing(
    bench: WireBench,
) -> None:
    bench.arm("reply_late", "add_order", seconds=1.7)
    late, order = bench.order(ENTRY, 400), bench.order(ENTRY, 300)
    with pytest.raises(OutcomeUnknown):
        await bench.venue.submit(late)
    await bench.until(lambda: road(bench).is_ready)

    name = await bench.venue.submit(order)
    await asyncio.sleep(0.8)  # it comes now

    (first, second) = oracle(bench.simulator, "order")
    assert name == second["order_id"]
    assert first["client_id"] == late.client_order_id
    assert len(asked(bench, BY_SOCKET)) == 2
    assert asked(bench, BY_REST) == []


async def test_a_late_answer_is_nobodys_while_another_waits() -> None:
    class Deaf:
        is_open = True
        sent: list[dict[str, Any]] = []

        async def send(self, text: str) -> None:
            self.sent.append(json.loads(text))

    one, line = SocketRoad(answer_seconds=5), Deaf()
    one.open(line)
    one.trust("token")
    waiting = asyncio.create_task(one.cancel("second"))
    await asyncio.sleep(0)
    number = line.sent[0]["req_id"]

    one.hear({"method": "cancel_order", "req_id": number - 1, "success": True, "result": {}})
    one.hear({"method": "cancel_order", "success": True, "result": {}})
    await asyncio.sleep(0)

    assert not waiting.done()
    one.hear({"method": "cancel_order", "req_id": number, "success": True, "result": {}})
    await waiting


async def test_an_answer_that_comes_twice_counts_once(bench: WireBench) -> None:
    bench.arm("reply_twice", "add_order", times=2)

    await bench.bought(400)
    name = await bench.venue.submit(bench.order(ENTRY, 100, price_ticks=bench.last_ticks - 3000))

    assert [order.order_id for order in bench.working] == [name]
    assert road(bench).is_ready


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("EOrder:Insufficient funds", Refused),
        ("Currency pair not supported BTC/USD", Refused),
        ("EOrder:Rate limit exceeded", NotSent),
        ("EAPI:Invalid token", NotSent),
        ("EService:Deadline elapsed", OutcomeUnknown),
        ("EGeneral:Internal error", OutcomeUnknown),
    ],
)
async def test_the_venues_words_mean_the_same_as_by_rest(
    bench: WireBench, words: str, outcome: type[Exception]
) -> None:
    bench.arm("error", "add_order", words=words)

    with pytest.raises(outcome, match=words):
        await bench.venue.submit(bench.order(ENTRY, 400))

    assert oracle(bench.simulator, "order") == []


async def test_a_token_that_is_not_taken_brings_another_connection(bench: WireBench) -> None:
    bench.arm("error", "add_order", words="EAPI:Invalid token")
    with pytest.raises(NotSent):
        await bench.venue.submit(bench.order(ENTRY, 400))
    assert not road(bench).is_ready

    await bench.until(lambda: road(bench).is_ready)
    await bench.venue.submit(bench.order(ENTRY, 400))

    assert [event["method"] for event in oracle(bench.simulator, "request")].count(
        "GetWebSocketsToken"
    ) == 2


async def test_the_venue_takes_nothing_after_the_deadline(bench: WireBench) -> None:
    now_ns = bench.simulator.clock.now_ns()
    order = bench.order(ENTRY, 400, send_by_ns=now_ns + 1_000_000)
    # A process that hung knows nothing of it.
    bench.venue._desk.clock.now_ns = lambda: now_ns  # type: ignore[method-assign]
    bench.wait(1.0)

    with pytest.raises(OutcomeUnknown, match="Deadline elapsed"):
        await bench.venue.submit(order)

    assert asked(bench, BY_SOCKET) == ["add_order"]
    assert oracle(bench.simulator, "order") == []


async def test_a_gap_in_the_news_does_not_cost_the_answer(bench: WireBench) -> None:
    bench.arm("drop", "executions")

    await bench.venue.submit(bench.order(ENTRY, 400))
    await bench.until(lambda: sum(one.quantity_lots for one in bench.fills) == 400)

    await bench.until(lambda: road(bench).is_ready)


async def test_a_key_without_the_right_is_refused_over_the_socket_too(bench: WireBench) -> None:
    bench.account.rights = tuple(right for right in RIGHTS if right != "modify-trades")

    with pytest.raises(Refused, match="EGeneral:Permission denied"):
        await bench.venue.submit(bench.order(ENTRY, 400))


async def test_both_roads_are_counted_together(bench: WireBench) -> None:
    for prefers in (True, False, True):  # as often as entries are let in at once
        bench.venue._desk.prefers_socket = prefers  # type: ignore[attr-defined]
        order = bench.order(ENTRY, 10, price_ticks=bench.last_ticks - 3000)
        await bench.venue.submit(order)
        assert await bench.venue.cancel(market=0, seq=order.seq)

    assert (len(asked(bench, BY_REST)), len(asked(bench, BY_SOCKET))) == (2, 4)
    assert bench.account.engine["BTC/USD"].level == 3 * (1 + 8)


PURPOSES = st.sampled_from((ENTRY, PROTECT, EXIT))


@settings(max_examples=200)
@given(purpose=PURPOSES, lots=st.integers(1, 10**9), ticks=st.integers(1, 10**7))
def test_every_digit_of_an_order_is_the_same_by_either_road(
    purpose: Purpose, lots: int, ticks: int
) -> None:
    side = Side.BUY if purpose == ENTRY else Side.SELL
    price = 0 if purpose == EXIT else ticks
    order = OrderRequest(0, 1, "id", 0, purpose, side, lots, price, 2**60, 0, 0, 0)
    params = orders.add_params(order, spec(), pair="XBTUSD", deadline_ns=2**60)

    told = frames.encode("add_order", frames.add(params, symbol="BTC/USD"), number=7)

    read = json.loads(told, parse_float=str, parse_int=str)["params"]
    level = read.get("limit_price") or read.get("triggers", {}).get("price")
    assert Decimal(read["order_qty"]) == lots * spec().lot_size == Decimal(params["volume"])
    assert level == params.get("price")
    assert (read["order_type"], read["side"]) == (params["ordertype"], params["type"])
    assert ("expire_time" in read) == (purpose == ENTRY) == bool(read.get("post_only"))
    assert '"order_qty":"' not in told


async def test_a_plain_client_trades_by_the_documents_alone(bench: WireBench) -> None:
    rest = KrakenRest(url=bench.simulator.address, key=KEY, secret=SECRET)
    token = (await rest.read("GetWebSocketsToken"))["token"]
    await rest.close()
    heard: list[dict[str, Any]] = []
    async with connect(f"ws://127.0.0.1:{bench.simulator.port}/v2/auth") as socket:

        async def say(method: str, number: int, **params: Any) -> dict[str, Any]:
            request = {"method": method, "params": {**params, "token": token}, "req_id": number}
            await socket.send(json.dumps(request))
            async with asyncio.timeout(5):
                while True:
                    heard.append(json.loads(await socket.recv()))
                    if heard[-1].get("req_id") == number:
                        return heard[-1]

        await say("subscribe", 1, channel="executions", snap_orders=True)
        order = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01,
                 "limit_price": 100.1, "time_in_force": "gtc", "cl_ord_id": "plain"}  # fmt: skip
        added = await say("add_order", 2, **order)
        name = added["result"]["order_id"]
        amended = await say("amend_order", 3, order_id=name, limit_price=101.5)
        cancelled = await say("cancel_order", 4, order_id=[name])
        again = await say("cancel_order", 5, order_id=[name])
        as_text = await say("add_order", 6, **{**order, "limit_price": "100.1"})

    assert added["result"] == {"order_id": name, "cl_ord_id": "plain"}
    assert amended["result"]["order_id"] == name
    assert (cancelled["success"], cancelled["result"]) == (True, {"order_id": name})
    assert (again["success"], again["error"]) == (False, "EOrder:Unknown order")
    assert as_text["error"] == "Limit_price field must be a number_float"
    told = [one["exec_type"] for frame in heard if frame.get("channel") == "executions"
            for one in frame["data"]]  # fmt: skip
    assert told == ["pending_new", "new", "amended", "canceled"]
