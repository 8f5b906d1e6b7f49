"""What must be right before an account trades: what its key may do, and the grid of its products."""

from collections.abc import Mapping

from trading.engine.errors import CannotTrade
from trading.engine.messages import MarketSpec
from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.errors import FORBIDDEN, UNAUTHORIZED, ApiError
from trading.exchanges.coinbase.rest import CoinbaseRest

NEEDED = {"can_view": "view", "can_trade": "trade"}


async def check_key(rest: CoinbaseRest) -> None:
    """A key that can trade and cannot take money away.

    Raises:
        CannotTrade: one clear sentence. ApiError, Unreached, NoAnswer: it cannot be asked now.
    """
    try:
        told = await rest.read("/key_permissions")
    except ApiError as error:
        if error.status in (UNAUTHORIZED, FORBIDDEN):
            raise CannotTrade(f"Coinbase does not accept the key: {error.words}") from None
        raise
    if told.get("can_transfer") is not False:  # also where the venue does not say
        raise CannotTrade("the key may transfer money away; make one at Coinbase that cannot")
    missing = [right for name, right in NEEDED.items() if told.get(name) is not True]
    if missing:
        raise CannotTrade(f"the key may not {' or '.join(missing)}; grant it at Coinbase")


def check_product(products: Mapping[str, names.Product], spec: MarketSpec) -> None:
    """A product that trades, on a grid that fits its own.

    Raises:
        CannotTrade: one clear sentence.
    """
    product = names.choose(products, spec.symbol)
    if product.shut_by:
        raise CannotTrade(f"{spec.symbol} does not trade at Coinbase now: {product.shut_by}")
    # Fills come in the venue's lots: coarser ones of ours could not book them.
    if spec.tick_size % product.tick_size or spec.lot_size != product.lot_size:
        raise CannotTrade(
            f"{spec.symbol}: Coinbase has tick {product.tick_size} and lot {product.lot_size},"
            f" stored are {spec.tick_size} and {spec.lot_size}"
        )
