"""Bars of a venue's past into the store: who is asked, how often, and the cards of what came."""

from collections.abc import Callable
from decimal import Decimal

from trading.exchanges.ccxt.client import CannotOpen, open_client
from trading.exchanges.ccxt.history import CcxtHistory
from trading.exchanges.ccxt.names import UnknownMarket
from trading.exchanges.coinbase.history import CoinbaseHistory
from trading.exchanges.coinbase.names import UnknownProduct
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken.history import KrakenHistory
from trading.exchanges.kraken.names import UnknownPair
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock
from trading.marketdata.catalogue import GivenGrid, register_series
from trading.marketdata.download import Download, History, Listing, NothingToAsk, download
from trading.marketdata.grid import Grid
from trading.marketdata.store import SeriesKey, SeriesNotFound, Summary
from trading.marketdata.timeframes import NS
from trading.models import Instrument
from trading.queries.bars import CCXT, CannotFeed, open_store
from trading.wiring.feeds import COINBASE_VENUES, venue_urls

VENUES = ("kraken", "coinbase", "simulator", "simulator_coinbase")
SOURCES = (*VENUES, f"{CCXT}<id>")
APART_SECONDS = {  # public requests that a venue lets one address send
    "kraken": 1.0,
    "coinbase": 0.2,
    "simulator": 0.0,
    "simulator_coinbase": 0.12,
}


class DownloadRefused(Exception):
    """Nothing can be asked for; the text says why."""


class PairNotListed(DownloadRefused):
    """The venue does not list the pair; the text names near ones."""


class VenueFailed(Exception):
    """The venue gave no answer; what came before is kept."""


def open_history(key: SeriesKey) -> History:
    """Who is asked for a series.

    Raises:
        DownloadRefused: not a venue to download from, or it has no bars of the timeframe.
    """
    frame_ns, apart = key.timeframe_seconds * NS, APART_SECONDS.get(key.venue, 0.0)
    if key.venue not in VENUES and not key.venue.startswith(CCXT):
        raise DownloadRefused(f"exchange {key.venue!r}: accepted is {', '.join(SOURCES)}")
    try:
        if key.venue.startswith(CCXT):
            client = open_client(key.venue)
            return CcxtHistory(client=client, symbol=key.symbol, timeframe_ns=frame_ns)
        url, _, _ = venue_urls(key.venue)
        if key.venue in COINBASE_VENUES:
            coinbase = CoinbaseRest(url=url, clock=VenueClock())
            return CoinbaseHistory(
                rest=coinbase, symbol=key.symbol, timeframe_ns=frame_ns, apart_seconds=apart
            )
    except (CannotFeed, CannotOpen, ValueError) as error:
        raise DownloadRefused(str(error)) from None
    kraken = KrakenRest(url=url, read_number=Decimal)
    return KrakenHistory(rest=kraken, symbol=key.symbol, timeframe_ns=frame_ns, apart_seconds=apart)


async def fetch(done: Download, *, progress: Callable[[int, int], None]) -> None:
    """Ask for what the store lacks.

    Raises:
        DownloadRefused: not such a pair, or nothing to ask for.
        VenueFailed: no answer.
        StoreError: the store cannot take it.
    """
    history = open_history(done.key)
    try:
        await download(store=open_store(), history=history, done=done, progress=progress)
    except (UnknownPair, UnknownProduct, UnknownMarket) as error:
        raise PairNotListed(str(error)) from None
    except NothingToAsk:
        raise DownloadRefused("no bar of this range has closed yet") from None
    except FAILS as error:
        raise VenueFailed(f"{done.key.venue}: {error}") from None
    finally:
        await history.close()


def settle(done: Download) -> Summary | None:
    """Write the cards of what is stored now, also after a download that broke off; None: nothing."""
    try:
        summary = open_store().summarize(done.key)
    except SeriesNotFound:
        return None
    if done.listing is not None:
        _register(done.key, summary, done.listing)
    return summary


def _register(key: SeriesKey, summary: Summary, listing: Listing) -> None:
    """The venue's own grid for a new instrument; a known one keeps its grid."""
    is_known = Instrument.objects.filter(venue=key.venue, symbol=key.symbol).exists()
    given = GivenGrid(
        tick_size=listing.tick_size,
        lot_size=listing.lot_size,
        min_quantity=listing.min_quantity or listing.lot_size,
        min_notional=listing.min_notional,
    )
    register_series(
        key=key,
        summary=summary,
        inferred=Grid(listing.tick_size, listing.lot_size),
        given=GivenGrid() if is_known else given,
    )
