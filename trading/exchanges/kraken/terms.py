"""Kraken's terms, asked without a key: time, pairs that trade, least orders, last prices."""

from collections.abc import Callable, Sequence

from trading.engine.errors import CannotTrade
from trading.exchanges.failures import read_amount, reading
from trading.exchanges.kraken import names
from trading.exchanges.kraken.account import ask_ahead
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.listings import keep_tradable
from trading.exchanges.terms import Terms, VenueTerms

ONLINE = "online"


async def ask_terms(
    rest: KrakenRest, symbols: Sequence[str], wall_ns: Callable[[], int]
) -> VenueTerms:
    """What holds now for those of the symbols in which a position can be opened.

    Raises:
        CannotTrade: in none, or none is listed.
        ApiError, Unreached, NoAnswer: it cannot be asked.
    """
    ahead = await ask_ahead(rest, wall_ns)
    with reading("Kraken's table of pairs"):
        listed = names.read_pairs(await rest.public("AssetPairs"))
    pairs = keep_tradable(symbols, lambda symbol: open_pair(names.choose(listed, symbol)))
    told = await rest.public("Ticker", pair=",".join(pair.altname for pair in pairs))
    with reading("Kraken's last prices"):
        prices = {pair.symbol: read_amount(told[pair.key]["c"][0]) for pair in pairs}
    terms = {
        one.symbol: Terms(one.min_quantity, one.min_notional, prices[one.symbol]) for one in pairs
    }
    return VenueTerms(ahead, terms)


def open_pair(pair: names.Pair) -> names.Pair:
    if pair.status != ONLINE:
        raise CannotTrade(f"{pair.symbol} is {pair.status!r} at Kraken now; accepted is {ONLINE!r}")
    return pair
