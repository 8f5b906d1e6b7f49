"""After commits were lost: our orders at the venue come back into the journal, with all they did."""

from collections.abc import Sequence

import structlog

from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.batches import Evidence, Known, OpenIntent
from trading.engine.errors import NoSight
from trading.engine.guards import BREAKER, OPERATOR, PAUSE
from trading.engine.handler import Handler
from trading.engine.messages import OrderRequest
from trading.engine.orders import State
from trading.engine.sights import VenueOrder
from trading.engine.state import CoreState, name_order

log = structlog.get_logger(__name__)

LOST_COMMITS = "lost commits"
REACH = 5_000  # order numbers beyond the journal's last
MARGIN_NS = 3_600_000_000_000  # an hour
Lost = tuple[OrderRequest, str]  # and the venue's name of it


async def take_back(handler: Handler) -> None:
    """Know again what the lost commits knew of orders; nothing new is sent, an entry is taken back.

    What such an entry bought is sold at the next price: its plan is lost, its stop rests until then.
    It ends with entries paused: a person's pause may be among what was lost.
    """
    if handler.ports.venue.has_account:
        await handler.ports.clock.sleep(handler.pace.settled_seconds)
    lost = find_lost(handler, await _asked(handler))
    for order, _ in lost:
        handler.core.markets[order.market]["intent_seq"] = order.seq
    put_right(handler.core)
    for order in handler.execution.open():
        _book(handler, await handler.ports.venue.lookup(order))
    for order, venue_id in lost:
        await _know(handler, order, venue_id)
    for market in sorted({order.market for order, _ in lost if order.purpose == Purpose.ENTRY}):
        handler.core.request_exit(market, ExitReason.OPERATOR)
    numbers = ", ".join(f"{handler.core.specs[o.market].symbol} {o.seq}" for o, _ in lost)
    found = f"the venue knew orders that it had lost: {numbers}" if lost else "no order was lost"
    words = f"the database goes on on another timeline; {found}. Look at holds, positions and limits, which may be older, then resume"
    log.error("lost_commits", orders=len(lost), why=words)
    if not handler.guards.is_open(OPERATOR, PAUSE):
        handler.hold(OPERATOR, PAUSE, words, open=True)
    handler.hold(BREAKER, LOST_COMMITS, "", open=False)
    await handler.commit()


def put_right(core: CoreState) -> None:
    """What was set by hand is a state of its own: journal and tape have it whole."""
    markets, account = core.dump()
    core.load(markets=markets, account=account)
    core.touched.update(range(len(core.specs)))


async def _asked(handler: Handler) -> Sequence[VenueOrder]:
    """Without the venue's word nothing may be sent: an order number might be used again."""
    since_ns = handler.core.market_ns() - MARGIN_NS
    while True:
        try:
            return await handler.ports.venue.list_orders(since_ns=since_ns)
        except NoSight as error:
            log.warning("orders_not_listed", why=str(error))
            await handler.ports.clock.sleep(handler.pace.resolve_seconds)


def find_lost(handler: Handler, listed: Sequence[VenueOrder]) -> list[Lost]:
    """Orders that bear our names, under numbers the journal has not given yet; oldest first."""
    core, found = handler.core, list[Lost]()
    by_name = {one.client_order_id: one for one in listed if one.client_order_id}
    for market in range(len(core.specs)):
        first = int(core.markets[market]["intent_seq"]) + 1
        for seq in range(first, first + REACH if by_name else first):
            one = by_name.get(name_order(core.engine, core.specs[market], seq))
            if one is not None:
                found.append((_order(handler, market, seq, one), one.venue_order_id))
    return found


def _order(handler: Handler, market: int, seq: int, told: VenueOrder) -> OrderRequest:
    """What was asked for; its deadline is over, so it is never sent."""
    spec, now_ns = handler.core.specs[market], handler.now_ns()
    side = Side[told.side]
    other = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
    return OrderRequest(
        market=market,
        seq=seq,
        client_order_id=told.client_order_id,
        at_ns=now_ns,
        purpose=Purpose.PROTECT if told.is_stop else other,
        side=side,
        quantity_lots=max(1, int(told.quantity / spec.lot_size)),
        price_ticks=int((told.level / spec.tick_size).to_integral_value()),
        expires_ns=0,
        replaces_seq=0,
        reason=ExitReason.STOP if told.is_stop else ExitReason.NONE,
        deadline_ns=now_ns - 1,
    )


async def _know(handler: Handler, order: OrderRequest, venue_id: str) -> None:
    """One order, until it rests as a stop does, or is over and all it did is booked."""
    venue, execution = handler.ports.venue, handler.execution
    handler.batch.intents.append(order)
    execution.planned(order)
    venue.adopt(intents=[OpenIntent(order, State.WORKING, venue_id)], booked_trades=frozenset())
    while (evidence := await venue.lookup(order)).known is not Known.OVER:
        if evidence.known is Known.WORKING:
            now_ns = handler.now_ns()
            handler.batch.intent_states += await execution.settle(order, evidence, market_ns=now_ns)
        _book(handler, evidence)
        if evidence.known is Known.WORKING:
            if order.purpose == Purpose.PROTECT:
                await _rest(handler, order)
                return
            await venue.cancel(market=order.market, seq=order.seq)
        await handler.ports.clock.sleep(handler.pace.resolve_seconds)
    _book(handler, evidence)


async def _rest(handler: Handler, order: OrderRequest) -> None:
    """A stop of a position is its stop again; one without a position would open another."""
    position = handler.core.markets[order.market]["position"]
    if position["quantity_lots"]:
        position["stop_seq"], position["stop_ticks"] = order.seq, order.price_ticks
        put_right(handler.core)
    else:
        changes = await handler.execution.cancel(order, reason="flat by now")
        handler.batch.intent_states += changes


def _book(handler: Handler, evidence: Evidence) -> None:
    """Its news, without what the core would send on them: the venue's lists are not read yet."""
    for report in evidence.news:
        for asked in handler.book(report):
            handler.drop(asked)
