"""A venue's own time and mode, asked once, for the doctor."""

from trading.exchanges.ccxt.client import CannotOpen, open_client
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock
from trading.queries.bars import CCXT, CannotFeed
from trading.wiring.feeds import COINBASE_VENUES, venue_urls


async def ask_venue(venue: str) -> tuple[float, str]:
    """(its time in seconds, its mode: "online" where it has no word for it).

    Raises:
        CannotFeed: it cannot be asked from here. ApiError, Unreached, NoAnswer: no answer.
    """
    if venue.startswith(CCXT):
        return await _ask_ccxt(venue)
    return await (_ask_coinbase if venue in COINBASE_VENUES else _ask_kraken)(venue)


async def _ask_kraken(venue: str) -> tuple[float, str]:
    rest = KrakenRest(url=venue_urls(venue)[0])
    try:
        told = await rest.public("Time")
        return float(told["unixtime"]), str((await rest.public("SystemStatus"))["status"])
    finally:
        await rest.close()


async def _ask_coinbase(venue: str) -> tuple[float, str]:
    rest = CoinbaseRest(url=venue_urls(venue)[0], clock=VenueClock())
    try:
        return await rest.time_ns() / 1e9, "online"
    finally:
        await rest.close()


async def _ask_ccxt(venue: str) -> tuple[float, str]:
    try:
        client = open_client(venue)
    except CannotOpen as error:
        raise CannotFeed(str(error)) from None
    try:
        return await client.time_ns() / 1e9, "online"
    finally:
        await client.close()
