"""Where an engine's market comes from and its orders go: a feed, and a venue over it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic_ns

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading.engine.ports import Clock, MarketFeed, Venue
from trading.engine.quotes import Quotes
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.live import CoinbaseVenue
from trading.exchanges.coinbase.names import PRODUCTS
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import Signer, UnusableKey
from trading.exchanges.kraken.call_rate import CallRate
from trading.exchanges.kraken.counters import CALLS, Tier
from trading.exchanges.kraken.dead_man import Protection
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.instruments import Instruments
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.names import TABLE
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.paper import PaperVenue
from trading.exchanges.tables import OwnTable
from trading.exchanges.venue_clock import VenueClock
from trading.wiring.feeds import COINBASE_VENUES, build_feed, venue_urls
from trading.wiring.key_checks import Rest
from trading.wiring.key_watch import Call, KeyWatch
from trading.wiring.keys import NoKey, OpenedKey, open_usable_key
from trading.wiring.plans import CannotRun, Plan
from trading.wiring.proof_watch import ProofWatch
from trading.wiring.shared_feeds import table_of


@dataclass(frozen=True, slots=True)
class Street:
    """What an engine trades on, what must go on beside it, and how to leave it."""

    feed: MarketFeed
    venue: Venue
    watch: Callable[[Call], Awaitable[None]]
    close: Callable[[], Awaitable[None]]
    quotes: Quotes | None = None  # of a market that is heard as it moves


def build_street(plan: Plan, *, speed: str | None, clock: Clock) -> Street:
    """The paper venue over the account's feed, or real orders where the account is live.

    Raises:
        CannotFeed: there is no feed. CannotRun: there is no key that can sign.
    """
    if plan.account.mode == ExchangeAccount.Mode.LIVE:
        return _live(plan, speed=speed, clock=clock)
    quotes = Quotes(clock.monotonic)
    feed = build_feed(
        engine=plan.engine, markets=plan.markets, speed=speed, clock=clock, quotes=quotes
    )
    paper = PaperVenue(feed=feed, specs=plan.specs, params=plan.params)
    return Street(feed, paper, nothing_to_watch, feed.close, quotes)


def _live(plan: Plan, *, speed: str | None, clock: Clock) -> Street:
    account = plan.account
    try:
        with tenant_scope(plan.tenant_id):
            opened = open_usable_key(account.id)
    except NoKey as error:
        raise CannotRun(f"{account} is in live mode: {error}") from None
    time, instruments, quotes = VenueClock(), Instruments(), Quotes(clock.monotonic)
    feed = build_feed(
        engine=plan.engine,
        markets=plan.markets,
        speed=speed,
        clock=clock,
        venue_clock=time,
        instruments=instruments,
        quotes=quotes,
    )
    is_coinbase = account.venue in COINBASE_VENUES
    open_wire = _coinbase if is_coinbase else partial(_kraken, instruments=instruments)
    return replace(open_wire(plan, opened, feed, time, clock), quotes=quotes)


def own_clock(plan: Plan, clock: Clock) -> Callable[[], int] | None:
    """What the venue's time is compared with; nothing at the simulator, whose time is invented."""
    return None if plan.account.venue in ExchangeAccount.PLAY_VENUES else clock.now_ns


def _kraken(
    plan: Plan,
    opened: OpenedKey,
    feed: MarketFeed,
    time: VenueClock,
    clock: Clock,
    *,
    instruments: Instruments,
) -> Street:
    url, _, private = venue_urls(plan.account.venue)
    wall_ns, tier = own_clock(plan, clock), Tier(plan.account.tier)
    passing_ns = monotonic_ns if wall_ns else time.now_ns  # the simulator's time may run faster
    calls = CallRate(CALLS[tier], now_ns=passing_ns)
    rest = KrakenRest(url=url, key=opened.key.key, secret=opened.key.secret, calls=calls)
    desk = KrakenDesk(
        rest=rest,
        table=table_of(plan.account.venue, own=OwnTable(rest, TABLE)),
        specs=plan.specs,
        clock=time,
        wall_ns=wall_ns,
        protection=Protection(plan.account.protection),
        tier=tier,
        passing_ns=passing_ns,
    )
    venue = KrakenVenue(desk=desk, feed=feed, ws_url=private, instruments=instruments)
    return Street(feed, venue, _watch(plan, opened, rest), _closing(feed, rest))


def _coinbase(
    plan: Plan, opened: OpenedKey, feed: MarketFeed, time: VenueClock, clock: Clock
) -> Street:
    url, _, private = venue_urls(plan.account.venue)
    try:
        signer = Signer(name=opened.key.key, secret=opened.key.secret)
    except UnusableKey as error:
        raise CannotRun(f"{plan.account} is in live mode: {error}") from None
    rest = CoinbaseRest(url=url, clock=time, signer=signer)
    wall_ns = own_clock(plan, clock)
    table = table_of(plan.account.venue, own=OwnTable(rest, PRODUCTS))
    desk = CoinbaseDesk(rest=rest, table=table, specs=plan.specs, clock=time, wall_ns=wall_ns)
    venue = CoinbaseVenue(desk=desk, feed=feed, ws_url=private)
    return Street(feed, venue, _watch(plan, opened, rest), _closing(feed, rest))


def _watch(plan: Plan, opened: OpenedKey, rest: Rest) -> Callable[[Call], Awaitable[None]]:
    """The account's key and the venue's books, with the client that signs."""
    account = plan.account
    keys = KeyWatch(account_id=account.id, venue=account.venue, rest=rest, version=opened.version)
    proofs = ProofWatch(tenant_id=plan.tenant_id, engine_id=str(plan.engine.id), rest=rest)

    async def look_after(call: Call) -> None:
        await asyncio.gather(keys.run(call), proofs.run())

    return look_after


def _closing(feed: MarketFeed, rest: Rest) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await feed.close()
        await rest.close()

    return close


async def nothing_to_watch(_: Call) -> None:
    """No key can change here."""
