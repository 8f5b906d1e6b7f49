"""What Kraken's table of pairs asks of orders now."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trading.engine.errors import CannotTrade
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges import grids
from trading.exchanges.kraken import names
from trading.exchanges.kraken.admission import check_pair
from trading.exchanges.kraken.terms import ONLINE, open_pair
from trading.exchanges.tables import Table


@dataclass(slots=True)
class Rules:
    """Of the pairs of one account; a pair that is listed no more keeps its last row."""

    table: Table
    specs: Sequence[MarketSpec]
    pairs: dict[str, names.Pair] = field(default_factory=dict)
    _gone: frozenset[str] = frozenset()

    def fit(self, order: OrderRequest) -> OrderRequest:
        """An order on the grid of now."""
        spec = self.specs[order.market]
        pair = names.choose(self.pairs, spec.symbol)
        return grids.fit(order, spec, tick_size=pair.tick_size, lot_size=pair.lot_size)

    def closed_by(self, market: int) -> str:
        """Why nothing can be sold at the market, as far as was heard; empty: it can."""
        pair = names.choose(self.pairs, self.specs[market].symbol)
        if pair.symbol in self._gone:
            return f"{pair.symbol} is not listed"
        return "" if pair.status == ONLINE else f"{pair.symbol} is {pair.status!r}"

    async def reload(self) -> str:
        """Read the table; why no position can be opened and left now.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        symbols = [spec.symbol for spec in self.specs]
        listed = names.read_pairs(await self.table.rows(symbols))
        self.pairs.update(listed)
        self._gone = frozenset(symbols) - listed.keys()
        try:
            for spec in self.specs:
                check_pair(listed, spec)
                open_pair(listed[spec.symbol])
        except CannotTrade as problem:
            return str(problem)
        return ""
