"""The doctor's question to a venue: does it answer, and what time is it there?"""

import time

from tenants.models import ExchangeAccount
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock
from trading.queries.bars import CannotFeed
from trading.wiring.feeds import COINBASE_VENUES, venue_urls
from trading.wiring.findings import Finding, Verdict

MOST_SKEW_SECONDS = 2.0


async def ask_venue(venue: str) -> Finding:
    """What it answers."""
    try:
        seconds, status = await (_ask_coinbase if venue in COINBASE_VENUES else _ask_kraken)(venue)
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


async def _ask_kraken(venue: str) -> tuple[float, str]:
    """(its time, its mode)."""
    rest = KrakenRest(url=venue_urls(venue)[0])
    try:
        told = await rest.public("Time")
        return float(told["unixtime"]), str((await rest.public("SystemStatus"))["status"])
    finally:
        await rest.close()


async def _ask_coinbase(venue: str) -> tuple[float, str]:
    """(its time, "online": it has no word for its mode, each product has its own)."""
    rest = CoinbaseRest(url=venue_urls(venue)[0], clock=VenueClock())
    try:
        return await rest.time_ns() / 1e9, "online"
    finally:
        await rest.close()
