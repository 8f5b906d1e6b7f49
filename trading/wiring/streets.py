"""Where an engine's market comes from and its orders go: a feed, and a venue over it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tenants.models import ExchangeAccount
from trading.engine.ports import Clock, MarketFeed, Venue
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.live import CoinbaseVenue
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import Signer, UnusableKey
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.paper import PaperVenue
from trading.exchanges.venue_clock import VenueClock
from trading.wiring.feeds import COINBASE_VENUES, build_feed, venue_urls
from trading.wiring.plans import CannotRun, Plan


@dataclass(frozen=True, slots=True)
class Street:
    """What an engine trades on, and how to leave it."""

    feed: MarketFeed
    venue: Venue
    close: Callable[[], Awaitable[None]]


def build_street(plan: Plan, *, speed: str | None, clock: Clock) -> Street:
    """The paper venue over the account's feed, or real orders where the account is live.

    Raises:
        CannotFeed: there is no feed. CannotRun: there is no key.
    """
    if plan.account.mode == ExchangeAccount.Mode.LIVE:
        return _live(plan, speed=speed, clock=clock)
    feed = build_feed(engine=plan.engine, markets=plan.markets, speed=speed, clock=clock)
    return Street(feed, PaperVenue(feed=feed, specs=plan.specs, params=plan.params), feed.close)


def _live(plan: Plan, *, speed: str | None, clock: Clock) -> Street:
    time = VenueClock()
    feed = build_feed(
        engine=plan.engine, markets=plan.markets, speed=speed, clock=clock, venue_clock=time
    )
    if plan.account.venue in COINBASE_VENUES:
        return _coinbase(plan, feed, time)
    return _kraken(plan, feed, time)


def _kraken(plan: Plan, feed: MarketFeed, time: VenueClock) -> Street:
    url, _, private = venue_urls(plan.account.venue)
    key, secret = simulator_key()
    rest = KrakenRest(url=url, key=key, secret=secret)
    desk = KrakenDesk(rest=rest, specs=plan.specs, clock=time)
    venue = KrakenVenue(desk=desk, feed=feed, ws_url=private)
    return Street(feed, venue, _closing(feed, rest))


def _coinbase(plan: Plan, feed: MarketFeed, time: VenueClock) -> Street:
    url, _, private = venue_urls(plan.account.venue)
    key, secret = simulator_key("coinbase")
    try:
        signer = Signer(name=key, secret=secret)
    except UnusableKey as error:
        raise CannotRun(str(error)) from None
    rest = CoinbaseRest(url=url, clock=time, signer=signer)
    desk = CoinbaseDesk(rest=rest, specs=plan.specs, clock=time)
    venue = CoinbaseVenue(desk=desk, feed=feed, ws_url=private)
    return Street(feed, venue, _closing(feed, rest))


def _closing(feed: MarketFeed, rest: KrakenRest | CoinbaseRest) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await feed.close()
        await rest.close()

    return close


def simulator_key(side: str = "") -> tuple[str, str]:
    """(key, secret) of the account the simulator made for this installation, at one of its sides.

    Raises:
        CannotRun: it never ran here.
    """
    path = Path(settings.DATA_DIR) / "run" / "simulator.json"
    try:
        told = json.loads(path.read_text())
        mine = told[side] if side else told
        return str(mine["key"]), str(mine["secret"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CannotRun(
            "the venue simulator never ran here; start manage.py run_simulator"
        ) from None
