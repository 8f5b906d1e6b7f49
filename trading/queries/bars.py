"""Where bars come from: the installation's store, or a seeded synthetic market."""

from django.conf import settings

from trading.exchanges.replay import BarSource
from trading.exchanges.synthetic import SyntheticBars
from trading.marketdata.series import choose_bars
from trading.marketdata.store import BarStore, StoreError
from trading.models import Instrument

SYNTHETIC_SEED = 20_240_101
SYNTHETIC_SECONDS = 60
# Their bars come by wire; what was told is recorded.
LIVE_VENUES = ("kraken", "coinbase", "simulator", "simulator_coinbase")
CCXT = "ccxt:"  # followed by ccxt's id of a venue
FEEDS = (*LIVE_VENUES, f"{CCXT}<id>", "replay", "synthetic")


class CannotFeed(Exception):
    """There are no bars for a market; the text says which and what to do."""


def is_wired(venue: str) -> bool:
    """Whether a venue's bars come by wire."""
    return venue in LIVE_VENUES or venue.startswith(CCXT)


def open_store() -> BarStore:
    """The bar store of this installation."""
    return BarStore(settings.BARS_DIR)


def open_recordings() -> BarStore:
    """The bars that engines were told by wire."""
    return BarStore(settings.RECORDED_DIR)


def bar_source(*, venue: str, instrument: Instrument, timeframe_seconds: int) -> BarSource:
    """Where the bars of one instrument come from on an account's venue.

    Raises:
        CannotFeed: a venue without a feed in this version, or nothing stored that fits.
    """
    if venue == "synthetic":
        if timeframe_seconds != SYNTHETIC_SECONDS:
            raise CannotFeed("the synthetic market has one-minute bars; choose timeframe 1m")
        return SyntheticBars(SYNTHETIC_SEED, instrument.symbol)
    if venue != "replay" and not is_wired(venue):
        raise CannotFeed(f"{venue} has no feed in this version; choose {', '.join(FEEDS)}")
    try:
        return choose_bars(
            open_recordings() if is_wired(venue) else open_store(),
            venue=instrument.venue,
            symbol=instrument.symbol,
            timeframe_seconds=timeframe_seconds,
        )
    except StoreError as error:
        raise CannotFeed(str(error)) from None
