"""What the journal has of each market's record, so that a commit brings only what has changed."""

from collections.abc import Iterable

import msgspec

from trading.engine.batches import MarketMemory
from trading.engine.state import CoreState


class JournaledMarkets:
    """The records as last committed, byte for byte."""

    def __init__(self, written: Iterable[MarketMemory] = ()) -> None:
        self._written: dict[int, bytes] = {}
        self.note(written)

    def changed(self, core: CoreState) -> tuple[MarketMemory, ...]:
        """The markets whose record is another than the journal's."""
        records = ((m, core.markets[m].tobytes()) for m in range(len(core.specs)))
        return tuple(
            MarketMemory(m, record, msgspec.json.encode(core.portable_market(m)))
            for m, record in records
            if self._written.get(m) != record
        )

    def note(self, written: Iterable[MarketMemory]) -> None:
        """They were committed."""
        self._written.update((one.market, one.record) for one in written)
