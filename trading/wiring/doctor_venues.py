"""The doctor's question to a venue: does it answer, and what time is it there?"""

import time

from tenants.models import ExchangeAccount
from trading.exchanges.failures import FAILS
from trading.queries.bars import CannotFeed
from trading.queries.findings import Finding, Verdict
from trading.wiring.venue_times import ask_venue

MOST_SKEW_SECONDS = 2.0


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
