"""What Coinbase's list of products asks of orders now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trading.engine.errors import CannotTrade
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges import grids
from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.admission import check_product
from trading.exchanges.coinbase.terms import open_product
from trading.exchanges.rules_watch import VENUE, Whys
from trading.exchanges.tables import Table


@dataclass(slots=True)
class Rules:
    """Of the products of one account; one that is listed no more keeps its last row, if it had one."""

    table: Table
    specs: Sequence[MarketSpec]
    products: dict[str, names.Product] = field(default_factory=dict)
    _gone: frozenset[str] = frozenset()

    def fit(self, order: OrderRequest) -> OrderRequest:
        """An order on the grid of now; of a product that was never listed as it is."""
        spec = self.specs[order.market]
        product = self.products.get(spec.symbol)
        if product is None:
            return order
        return grids.fit(order, spec, tick_size=product.tick_size, lot_size=product.lot_size)

    def step(self, market: int) -> int:
        """Every so many of our ticks there is one of now's."""
        spec = self.specs[market]
        product = names.choose(self.products, spec.symbol)
        return grids.steps(product.tick_size, spec.tick_size)

    def closed_by(self, market: int) -> str:
        """Why nothing can be sold at the market, as far as was heard; empty: it can."""
        symbol = self.specs[market].symbol
        product = self.products.get(symbol)
        if product is None or symbol in self._gone:
            return f"{symbol} is not listed"
        return product.limited_by and f"{product.symbol} is {product.limited_by!r}"

    async def reload(self) -> Whys:
        """Read the list; why no position can be opened and left now.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        symbols = [spec.symbol for spec in self.specs]
        listed = names.read_list(await self.table.rows(symbols))
        self.products.update(listed)
        self._gone = frozenset(symbols) - listed.keys()
        return self.verdicts()

    def verdicts(self) -> Whys:
        """Why no position can be opened and left now."""
        listed = {one: row for one, row in self.products.items() if one not in self._gone}
        return {VENUE: ""} | {spec.symbol: _why(listed, spec) for spec in self.specs}


def _why(listed: Mapping[str, names.Product], spec: MarketSpec) -> str:
    try:
        check_product(listed, spec)
        open_product(listed[spec.symbol])
    except CannotTrade as problem:
        return str(problem)
    return ""
