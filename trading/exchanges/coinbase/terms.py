"""Coinbase's terms, asked without a key: time, products that trade, least orders, last prices."""

from collections.abc import Callable, Sequence

from trading.engine.errors import CannotTrade
from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.account import ask_ahead
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.listings import keep_tradable
from trading.exchanges.terms import Terms, VenueTerms


async def ask_terms(
    rest: CoinbaseRest, symbols: Sequence[str], wall_ns: Callable[[], int]
) -> VenueTerms:
    """What holds now for those of the symbols in which a position can be opened.

    Raises:
        CannotTrade: in none, or none is listed.
        ApiError, Unreached, NoAnswer: it cannot be asked.
    """
    ahead = await ask_ahead(rest, wall_ns)
    told = await rest.public("/market/products")
    listed = names.read_list(told)
    products = keep_tradable(symbols, lambda one: open_product(names.choose(listed, one)))
    terms = {one.symbol: Terms(one.min_quantity, one.min_notional, one.price) for one in products}
    return VenueTerms(ahead, terms)


def open_product(product: names.Product) -> names.Product:
    if product.limited_by:
        raise CannotTrade(
            f"{product.symbol} is {product.limited_by!r} at Coinbase now; accepted is 'online', "
            "without limits"
        )
    return product
