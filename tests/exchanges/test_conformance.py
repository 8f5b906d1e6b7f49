"""What every adapter must do, whatever its venue's words: the same cases over each wire and on paper."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal

import pytest

from tests.engine.fakes import spec
from tests.exchanges.bench import Bench, WireBench, seat
from tests.exchanges.paper_bench import paper_seat
from tests.exchanges.street import oracle
from trading.chaos.venue import FUNDS
from trading.chaos.wires import COINBASE, KRAKEN, WIRES, Wire
from trading.core.codes import Purpose
from trading.engine.batches import Known
from trading.engine.errors import NotSent, OutcomeUnknown, Refused

ENTRY, PROTECT, MOVE = Purpose.ENTRY, Purpose.PROTECT, Purpose.MOVE_STOP
EXIT, REDUCE = Purpose.EXIT, Purpose.REDUCE
BY_SOCKET = ("kraken-socket", "kraken-switch")
PAPER = "paper"
PLACE = {"kraken": "AddOrder", "coinbase": "orders"} | dict.fromkeys(BY_SOCKET, "add_order")
NEWS = {"kraken": "executions", "coinbase": "user", PAPER: "bars"} | dict.fromkeys(
    BY_SOCKET, "executions"
)


NO_ANSWERS = "an order is in its book or it is not: there is no answer that could be lost"
NOT_ON_PAPER: Mapping[str, str] = {
    "test_price_and_fee_are_the_venues_own": "it keeps no log beside what it tells; its fills are held "
    "against the backtest's in tests/parity",
    "test_a_part_is_sold_without_offering_more_than_is_held": "a part is sold at the next open, before "
    "any range is tested, and the core moves the stop to what is left as soon as that is told",
    "test_a_limit_that_would_take_is_refused": "it takes what the backtest takes: such a limit fills at "
    "its own price, which is worse than the market's",
    "test_an_order_without_an_answer_is_found_with_its_fills": NO_ANSWERS,
    "test_a_stop_without_an_answer_is_found_working": NO_ANSWERS,
    "test_absence_is_not_believed_at_once": NO_ANSWERS,
    "test_who_hung_leaves_the_stop_alone": "it ends with the process that hung",
    "test_news_that_cannot_be_read_is_told_once": "bars reach it as values, not as text",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each case over each wire, and on paper where it makes sense there."""
    if "bench" in metafunc.fixturenames:
        on_paper = [] if metafunc.function.__name__ in NOT_ON_PAPER else [PAPER]
        metafunc.parametrize("bench", [*WIRES, *on_paper], indirect=True)


@pytest.fixture
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with paper_seat() if request.param == PAPER else seat(WIRES[request.param]) as made:
        await made.listen()
        yield made


def test_what_does_not_apply_to_paper_is_a_case() -> None:
    assert NOT_ON_PAPER.keys() <= globals().keys()


def told(error: pytest.ExceptionInfo[BaseException]) -> str:
    """Its words: one sentence on one line."""
    words = str(error.value)
    assert words
    assert "\n" not in words
    assert "Traceback" not in words
    assert len(words) < 300
    return words


async def test_an_entry_is_filled_and_told_to_the_last_lot(bench: Bench) -> None:
    await bench.bought(400)

    assert bench.filled == 400
    assert [one.final for one in bench.fills][-1] == 1


async def test_price_and_fee_are_the_venues_own(bench: WireBench) -> None:
    await bench.bought(400)

    (theirs,) = bench.wire.as_told(oracle(bench.simulator, "fill"))
    (ours,) = bench.fills
    assert ours.venue_trade_id == theirs["trade_id"]
    assert ours.price_ticks * spec().tick_size == Decimal(theirs["price"])
    assert (Decimal(ours.fee), ours.fee_currency) == (Decimal(theirs["fee"]), "USD")


async def test_a_stop_rests_under_the_name_that_was_told(bench: Bench) -> None:
    await bench.bought()
    stop = bench.order(PROTECT, 400, price_ticks=bench.last_ticks - 2000)

    name = await bench.venue.submit(stop)

    assert [order.order_id for order in bench.working] == [name]


async def test_a_moved_stop_is_one_stop(bench: Bench) -> None:
    await bench.protected(below=2000)
    ticks = bench.last_ticks - 1500

    await bench.venue.submit(bench.order(MOVE, 400, price_ticks=ticks))

    (rests,) = bench.working
    assert (rests.stop or rests.price) == ticks * spec().tick_size
    assert rests.left == 400 * spec().lot_size


async def test_a_stop_moved_to_where_it_rests_stays(bench: Bench) -> None:
    stop = await bench.protected()

    name = await bench.venue.submit(bench.order(MOVE, 400, price_ticks=stop.price_ticks))

    assert [one.order_id for one in bench.working] == [name]


async def test_an_exit_takes_its_stop_away_and_sells_once(bench: Bench) -> None:
    await bench.protected()

    await bench.venue.submit(bench.order(EXIT, 400))
    await bench.until(lambda: bench.filled == 800)

    assert bench.working == []


async def test_a_part_is_sold_without_offering_more_than_is_held(bench: Bench) -> None:
    await bench.protected()

    await bench.venue.submit(bench.order(REDUCE, 150))

    offered = sum((order.left for order in bench.working), Decimal(0))
    assert offered <= 250 * spec().lot_size


async def test_the_rest_is_protected_after_a_part_was_sold(bench: Bench) -> None:
    stop = await bench.protected()
    await bench.venue.submit(bench.order(REDUCE, 150))
    await bench.until(lambda: bench.filled == 550)

    await bench.venue.submit(bench.order(MOVE, 250, price_ticks=stop.price_ticks))

    (rests,) = bench.working
    assert rests.left == 250 * spec().lot_size


@pytest.mark.parametrize("purpose", [REDUCE, EXIT])
async def test_who_hung_leaves_the_stop_alone(bench: WireBench, purpose: Purpose) -> None:
    await bench.protected()
    order = bench.order(purpose, 150 if purpose is REDUCE else 400, send_by_ns=bench.now_ns - 1)

    with pytest.raises(NotSent, match="planned too long ago"):
        await bench.venue.submit(order)

    (rests,) = bench.working  # it may be the next leader's by now
    assert rests.left == 400 * spec().lot_size


async def test_a_limit_rests_until_it_is_cancelled(bench: Bench) -> None:
    order = bench.order(ENTRY, 400, price_ticks=bench.last_ticks - 3000)
    await bench.venue.submit(order)
    assert len(bench.working) == 1

    assert await bench.venue.cancel(market=0, seq=order.seq)

    await bench.until(lambda: bench.working == [])


async def test_what_was_cancelled_cannot_be_cancelled_again(bench: Bench) -> None:
    order = bench.order(ENTRY, 400, price_ticks=bench.last_ticks - 3000)
    await bench.venue.submit(order)
    await bench.venue.cancel(market=0, seq=order.seq)
    await bench.until(lambda: bench.working == [])

    assert not await bench.venue.cancel(market=0, seq=order.seq)


async def test_what_has_filled_cannot_be_cancelled(bench: Bench) -> None:
    order = await bench.bought()

    assert not await bench.venue.cancel(market=0, seq=order.seq)


async def test_what_nobody_knows_cannot_be_cancelled(bench: Bench) -> None:
    assert not await bench.venue.cancel(market=0, seq=99)


async def test_a_limit_that_would_take_is_refused(bench: WireBench) -> None:
    with pytest.raises(Refused) as error:
        await bench.venue.submit(bench.order(ENTRY, 400, price_ticks=bench.last_ticks + 1000))

    assert told(error)
    assert bench.working == []


async def test_an_order_without_an_answer_is_found_with_its_fills(bench: WireBench) -> None:
    bench.arm("reply_lost", PLACE[bench.name])
    order = bench.order(ENTRY, 400)

    with pytest.raises(OutcomeUnknown):
        await bench.venue.submit(order)
    evidence = await bench.settled(order)
    await bench.until(lambda: bool(bench.fills) or bool(evidence.news))

    assert evidence.known is Known.OVER
    names = {one.venue_trade_id for one in (*bench.fills, *evidence.news) if one.quantity_lots}
    (fill,) = bench.wire.as_told(oracle(bench.simulator, "fill"))
    assert names == {fill["trade_id"]}


async def test_a_stop_without_an_answer_is_found_working(bench: WireBench) -> None:
    await bench.bought()
    bench.arm("reply_lost", PLACE[bench.name])
    stop = bench.order(PROTECT, 400, price_ticks=bench.last_ticks - 2000)

    with pytest.raises(OutcomeUnknown):
        await bench.venue.submit(stop)
    evidence = await bench.settled(stop)

    assert evidence.known is Known.WORKING
    assert [order.order_id for order in bench.working] == [evidence.venue_order_id]


@pytest.mark.parametrize("wire", [KRAKEN, COINBASE], ids=lambda wire: wire.name)
@pytest.mark.parametrize("purpose", [MOVE, EXIT, REDUCE])
async def test_while_a_stop_is_on_its_way_nothing_else_is_offered(
    wire: Wire, purpose: Purpose
) -> None:
    async with seat(wire) as bench:
        await bench.listen()
        await bench.bought()
        level = bench.last_ticks - 2000
        stop = bench.order(PROTECT, 400, price_ticks=level)
        bench.arm("request_late", PLACE[wire.name], seconds=4.0)
        with pytest.raises(OutcomeUnknown):
            await bench.venue.submit(stop)

        asked = {"price_ticks": level + 500} if purpose == MOVE else {}
        with pytest.raises(NotSent, match="has no answer yet"):
            await bench.venue.submit(bench.order(purpose, 400, **asked))
        assert bench.working == []
        bench.wait(5)
        await bench.until(lambda: len(bench.working) == 1)
        assert (await bench.settled(stop)).known is Known.WORKING
        if purpose == REDUCE:
            await bench.submit(bench.order(REDUCE, 150))
        else:
            await bench.submit(bench.order(purpose, 400, **asked))
        await bench.until(lambda: bench.is_quiet)

        offered = sum(order.quantity - order.filled for order in bench.working)
        held = bench.account.balances["BTC"] - FUNDS["BTC"]
        assert offered <= held


async def test_absence_is_not_believed_at_once(bench: WireBench) -> None:
    bench.arm("request_lost", PLACE[bench.name])
    order = bench.order(ENTRY, 400)

    with pytest.raises(OutcomeUnknown):
        await bench.venue.submit(order)

    assert (await bench.venue.lookup(order)).known is Known.UNDECIDED
    assert (await bench.settled(order)).known is Known.ABSENT
    assert oracle(bench.simulator, "order") == []


OUTCOMES = [
    (KRAKEN, "page_520", "", OutcomeUnknown),
    (KRAKEN, "error", "EService:Unavailable", OutcomeUnknown),
    (KRAKEN, "error", "EService:Deadline elapsed", OutcomeUnknown),
    (KRAKEN, "error", "EGeneral:Internal error", OutcomeUnknown),
    (KRAKEN, "error", "EOrder:Rate limit exceeded", NotSent),
    (KRAKEN, "error", "EAPI:Invalid nonce", NotSent),
    (KRAKEN, "error", "EOrder:Insufficient funds", Refused),
    (KRAKEN, "error", "EOrder:Order minimum not met", Refused),
    (COINBASE, "page_520", "", OutcomeUnknown),
    (COINBASE, "server_error", "", OutcomeUnknown),
    (COINBASE, "reply_lost", "", OutcomeUnknown),
    (COINBASE, "request_lost", "", OutcomeUnknown),
    (COINBASE, "rate_limited", "", NotSent),
    (COINBASE, "error", "a field is invalid", Refused),
]


@pytest.mark.parametrize(("wire", "kind", "words", "outcome"), OUTCOMES)
async def test_an_answer_means_what_the_venue_documents(
    wire: Wire, kind: str, words: str, outcome: type[Exception]
) -> None:
    async with seat(wire) as bench:
        await bench.listen()
        bench.arm(kind, PLACE[wire.name], words=words)

        with pytest.raises(outcome) as error:
            await bench.venue.submit(bench.order(ENTRY, 400))

    assert words in told(error)


@pytest.mark.parametrize("kind", ["duplicate", "drop"])
async def test_news_that_comes_twice_or_never_is_told_once(bench: Bench, kind: str) -> None:
    bench.arm(kind, NEWS[bench.name], times=2)

    await bench.bought()
    await bench.until(lambda: bench.is_quiet)

    assert [one.quantity_lots for one in bench.fills] == [400]


async def test_news_that_cannot_be_read_is_told_once(bench: Bench) -> None:
    bench.arm("not_json", NEWS[bench.name], times=2)

    await bench.bought()
    await bench.until(lambda: bench.is_quiet)

    assert [one.quantity_lots for one in bench.fills] == [400]


async def test_an_order_of_nothing_is_refused(bench: Bench) -> None:
    with pytest.raises(Refused) as error:
        await bench.venue.submit(bench.order(ENTRY, 0))

    assert "quantity" in told(error)
    assert list(bench.working) == []


async def test_what_rests_is_known_to_work(bench: Bench) -> None:
    order = bench.order(ENTRY, 400, price_ticks=bench.last_ticks - 3000)
    name = await bench.venue.submit(order)

    evidence = await bench.venue.lookup(order)

    assert (evidence.known, evidence.venue_order_id) == (Known.WORKING, name)


async def test_what_was_never_sent_is_absent(bench: Bench) -> None:
    order = bench.order(ENTRY, 400)

    assert (await bench.settled(order)).known is Known.ABSENT


async def test_the_next_life_tells_no_fill_again(bench: Bench) -> None:
    await bench.bought()

    await bench.end_life()
    await bench.begin_life()

    assert bench.filled == 400


async def test_the_next_life_moves_the_stop_that_rests(bench: Bench) -> None:
    await bench.protected(below=2000)
    ticks = bench.last_ticks - 1500

    await bench.end_life()
    await bench.begin_life()
    await bench.venue.submit(bench.order(MOVE, 400, price_ticks=ticks))

    (rests,) = bench.working
    assert (rests.stop or rests.price) == ticks * spec().tick_size


async def test_the_next_life_sells_in_place_of_the_stop_that_rests(bench: Bench) -> None:
    await bench.protected()

    await bench.end_life()
    await bench.begin_life()
    await bench.venue.submit(bench.order(EXIT, 400))
    await bench.until(lambda: bench.filled == 800)

    assert list(bench.working) == []


async def test_the_next_life_cancels_what_rests(bench: Bench) -> None:
    order = bench.order(ENTRY, 400, price_ticks=bench.last_ticks - 3000)
    await bench.submit(order)

    await bench.end_life()
    await bench.begin_life()

    assert await bench.venue.cancel(market=0, seq=order.seq)
    await bench.until(lambda: list(bench.working) == [])


async def test_what_fills_between_two_lives_is_told_once(bench: Bench) -> None:
    order = bench.order(ENTRY, 400, price_ticks=bench.last_ticks - 3000)
    await bench.submit(order)

    await bench.end_life()
    bench.fill_resting()
    await bench.begin_life()
    await bench.until(lambda: bench.filled >= 400)
    await bench.end_life()
    await bench.begin_life()

    assert [(one.intent_seq, one.quantity_lots, one.price_ticks) for one in bench.fills] == [
        (order.seq, 400, order.price_ticks)
    ]
