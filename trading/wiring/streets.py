"""Where an engine's market comes from and its orders go: a feed, and a venue over it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tenants.models import ExchangeAccount
from trading.engine.ports import Clock, MarketFeed, Venue
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.paper import PaperVenue
from trading.exchanges.venue_clock import VenueClock
from trading.wiring.feeds import build_feed, venue_urls
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
    key, secret = simulator_key()
    url, _, private = venue_urls(plan.account.venue)
    time = VenueClock()
    feed = build_feed(
        engine=plan.engine, markets=plan.markets, speed=speed, clock=clock, venue_clock=time
    )
    rest = KrakenRest(url=url, key=key, secret=secret)
    desk = KrakenDesk(rest=rest, specs=plan.specs, clock=time)

    async def close() -> None:
        await feed.close()
        await rest.close()

    return Street(feed, KrakenVenue(desk=desk, feed=feed, ws_url=private), close)


def simulator_key() -> tuple[str, str]:
    """(key, secret) of the account the simulator made for this installation.

    Raises:
        CannotRun: it never ran here.
    """
    path = Path(settings.DATA_DIR) / "run" / "simulator.json"
    try:
        told = json.loads(path.read_text())
        return str(told["key"]), str(told["secret"])
    except (OSError, ValueError, KeyError):
        raise CannotRun(
            "the venue simulator never ran here; start manage.py run_simulator"
        ) from None
