"""How long each venue took to acknowledge orders."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenants.models import ExchangeAccount
from trading.models import Order
from trading.queries.execution import given
from trading.queries.history import Wanted

MOST_ORDERS = 2_000
MS_PER_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Of one venue, on paper or with real orders; wall time from sending to the venue's answer."""

    venue: str
    mode: str
    orders: int
    p50_ms: float
    p95_ms: float

    @property
    def venue_words(self) -> str:
        """The venue as people call it."""
        return ExchangeAccount(venue=self.venue).get_venue_display()


def list_acknowledged(wanted: Wanted) -> list[Acknowledged]:
    """By venue and mode of the account, over the newest orders whose answer was read."""
    engine = "intent__engine__account"
    orders = Order.objects.exclude(acknowledged_at=None).filter(
        **given(wanted, engine, "intent__", "sent_at")
    )
    newest = orders.order_by("-sent_at", "-id")[:MOST_ORDERS]
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    told = newest.values_list(f"{engine}__venue", f"{engine}__mode", "sent_at", "acknowledged_at")
    for venue, mode, sent_at, acknowledged_at in told:
        took[venue, mode].append((acknowledged_at - sent_at).total_seconds() * MS_PER_SECOND)
    return [_of(*which, took[which]) for which in sorted(took)]


def _of(venue: str, mode: str, took: Sequence[float]) -> Acknowledged:
    p50, p95 = np.percentile(took, (50, 95))
    return Acknowledged(venue, mode, len(took), float(p50), float(p95))
