"""What the journal has of each market's record, so that a commit brings only what has changed."""

from collections.abc import Iterable

import msgspec

from trading.engine.batches import MarketMemory
from trading.engine.state import CoreState


class JournaledMarkets:
    """The records as last committed, byte for byte."""

    def __init__(self, written: Iterable[MarketMemory] = ()) -> None:
        self._written = {one.market: one.record for one in written}

    def changed(self, core: CoreState) -> tuple[MarketMemory, ...]:
        """The markets whose record is another than the journal's, of those the core was told of."""
        records = ((m, core.markets[m].tobytes()) for m in sorted(core.touched))
        return tuple(
            MarketMemory(m, record, msgspec.json.encode(core.portable_market(m)))
            for m, record in records
            if self._written.get(m) != record
        )

    def note(self, written: Iterable[MarketMemory], core: CoreState) -> None:
        """They were committed: the journal has the core as it is."""
        self._written.update((one.market, one.record) for one in written)
        core.touched.clear()
