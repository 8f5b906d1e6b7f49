"""The doctor's questions to a venue and its shared feed: do they answer, and what time is it there?"""

import time

from django.conf import settings

from tenants.models import ExchangeAccount
from trading.exchanges.failures import FAILS
from trading.exchanges.shared.link import ask_status
from trading.queries.bars import CannotFeed
from trading.queries.feeds import socket_path
from trading.queries.findings import Finding, Verdict
from trading.wiring.venue_times import ask_venue

MOST_SKEW_SECONDS = 2.0


async def examine_shared_feed(venue: str) -> Finding | None:
    """How the shared feed of a venue stands; None where there is none, and none is expected."""
    check = f"feed {venue}"
    try:
        told = await ask_status(socket_path(venue))
    except FAILS:
        words = "NOVA_SHARED_FEEDS names it, and no run_feed serves it; its engines connect by themselves"
        return Finding(check, Verdict.FAIL, words) if venue in settings.SHARED_FEEDS else None
    if told.engines and not told.is_up:
        return Finding(check, Verdict.FAIL, f"{told.reason}; entries are held")
    words = f"{told.engines} listeners, {told.topics} subscriptions, {told.cut_off} cut off"
    return Finding(check, Verdict.WARN if told.cut_off else Verdict.OK, words)


async def examine_venue(venue: str) -> Finding:
    """What it answers."""
    try:
        seconds, status = await ask_venue(venue)
    except CannotFeed as error:
        return Finding(venue, Verdict.FAIL, str(error))
    except FAILS as error:
        return Finding(venue, Verdict.FAIL, f"{error}; entries are held, stops rest at the venue")
    skew = time.time() - seconds
    is_play = venue in ExchangeAccount.PLAY_VENUES  # whose time is its own
    if not is_play and abs(skew) > MOST_SKEW_SECONDS:
        return Finding(venue, Verdict.FAIL, f"this machine's clock is off by {skew:+.1f} s")
    verdict = Verdict.OK if status == "online" else Verdict.WARN
    return Finding(venue, verdict, f"answers, {status}")
