"""The part of the client that reads figures: charts, and how accounts and bots have done."""

from collections.abc import Sequence
from typing import TypedDict, Unpack
from uuid import UUID

from novapulse_client.figures import Bars, Chart, Performance
from novapulse_client.reader import Reader


class WantedPerformance(TypedDict, total=False):
    """One account, and its ``chapter`` or ``all``; without: since it last started over."""

    account: UUID | str
    chapter: int | str


class Drawer(Reader):
    """Figures; every method raises ``NovaPulseError`` when it is refused."""

    def performance(self, **wanted: Unpack[WantedPerformance]) -> Performance:
        """What each account and bot made, how often it won, and its deepest fall."""
        query = {name: str(value) for name, value in wanted.items()}
        return self._wire.get("/performance", Performance, query)

    def chart(
        self, engine: UUID | str, *, market: int = 0, strategies: Sequence[str] = ()
    ) -> Chart:
        """Bars, fills, stops, scores and equity of a market, and what these strategies saw."""
        query = {"engine": str(engine), "market": str(market)}
        if strategies:
            query["strategies"] = ",".join(strategies)
        return self._wire.get("/chart", Chart, query)

    def decision_bars(self, number: int) -> Bars:
        """The bars before and after the one that was decided on."""
        return self._wire.get(f"/decisions/{number}/bars", Bars)
