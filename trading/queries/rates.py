"""How much of its venue's rates an account has used, as its engine last committed it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants.models import ExchangeAccount
from trading.exchanges.kraken.kept_rates import read_rates
from trading.models import EngineSnapshot

CALLS = "private calls"
NEARLY = 0.75
Mode = ExchangeAccount.Mode


@dataclass(frozen=True, slots=True)
class UsedRate:
    """One counter: a pair's orders, or the key's calls."""

    of: str
    used: float
    limit: float
    as_of: datetime

    @property
    def is_nearly_used(self) -> bool:
        """Whether entries or reads wait by now, or will soon."""
        return self.used > NEARLY * self.limit

    @property
    def words(self) -> str:
        """Used of limit."""
        return f"{self.of} {self.used:.0f} of {self.limit:.0f}"


def list_rates(*, account_id: UUID) -> list[UsedRate]:
    """Of an account with real orders; none where its venue tells no such numbers."""
    return rates_of([account_id]).get(account_id, [])


def rates_of(account_ids: Collection[UUID]) -> dict[UUID, list[UsedRate]]:
    """The same by account, of those that have any."""
    saved = EngineSnapshot.objects.filter(
        engine__account__in=account_ids, engine__account__mode=Mode.LIVE
    )
    told = saved.select_related("engine")
    return {one.engine.account_id: found for one in told if (found := list(_of(one)))}


def _of(saved: EngineSnapshot) -> Iterator[UsedRate]:
    kept = read_rates(bytes(saved.venue))
    if kept is None:
        return
    for symbol, level in sorted(kept.pairs.items()):
        yield UsedRate(symbol, level.used, level.most, saved.saved_at)
    yield UsedRate(CALLS, kept.calls.used, kept.calls.most, saved.saved_at)
