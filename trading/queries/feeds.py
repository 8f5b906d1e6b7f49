"""Where a venue's market data comes from on this host: its shared feed, or each engine's own connection."""

from pathlib import Path

from django.conf import settings

from trading.exchanges.shared.places import is_served
from trading.queries.bars import is_wired

STORED = "bars of this installation"
SHARED, OWN = "the shared feed of this host", "a connection of its own"


def socket_path(venue: str) -> Path:
    """Where a venue's shared feed listens."""
    return Path(settings.DATA_DIR) / "run" / f"feed-{venue}.sock"


def is_shared(venue: str) -> bool:
    """Whether an engine that starts now uses a shared feed."""
    return venue in settings.SHARED_FEEDS or is_served(socket_path(venue))


def feed_words(venue: str) -> str:
    """Where an engine that starts now hears the market."""
    if not is_wired(venue):
        return STORED
    return SHARED if is_shared(venue) else OWN
