"""Kraken's terms, asked without a key: time, pairs that trade, least orders, last prices."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from trading.engine.errors import CannotTrade
from trading.exchanges.kraken import names
from trading.exchanges.kraken.account import ask_ahead
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.terms import Terms, VenueTerms

ONLINE = "online"


async def ask_terms(
    rest: KrakenRest, symbols: Sequence[str], wall_ns: Callable[[], int]
) -> VenueTerms:
    """What holds for these symbols now.

    Raises:
        CannotTrade: one is not listed, or no position can be opened in it now.
        ApiError, Unreached, NoAnswer: it cannot be asked.
    """
    ahead = await ask_ahead(rest, wall_ns)
    listed = names.read_pairs(await rest.public("AssetPairs"))
    pairs = [open_pair(names.choose(listed, symbol)) for symbol in symbols]
    told = await rest.public("Ticker", pair=",".join(pair.altname for pair in pairs))
    terms = {
        pair.symbol: Terms(
            pair.min_quantity, pair.min_notional, Decimal(str(told[pair.key]["c"][0]))
        )
        for pair in pairs
    }
    return VenueTerms(ahead, terms)


def open_pair(pair: names.Pair) -> names.Pair:
    if pair.status != ONLINE:
        raise CannotTrade(f"{pair.symbol} is {pair.status!r} at Kraken now; accepted is {ONLINE!r}")
    return pair
