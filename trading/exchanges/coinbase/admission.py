"""What must be right before an account trades: what its key may do, and the grid of its products."""

from collections.abc import Mapping

from trading.engine.errors import CannotTrade
from trading.engine.messages import MarketSpec
from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.errors import FORBIDDEN, UNAUTHORIZED, ApiError
from trading.exchanges.coinbase.rest import CoinbaseRest

NEEDED = ("view", "trade")
FORBIDDEN_RIGHT = "transfer"


async def check_key(rest: CoinbaseRest) -> None:
    """A key that can trade and cannot take money away.

    Raises:
        CannotTrade: one clear sentence. ApiError, Unreached, NoAnswer: it cannot be asked now.
    """
    problem = problem_of(await read_rights(rest))
    if problem:
        raise CannotTrade(problem)


async def read_rights(rest: CoinbaseRest) -> frozenset[str]:
    """What the key may; it may transfer unless the venue says that it may not.

    Raises:
        CannotTrade: the venue does not know it. ApiError, Unreached, NoAnswer: it cannot be asked.
    """
    try:
        told = await rest.read("/key_permissions")
    except ApiError as error:
        if error.status in (UNAUTHORIZED, FORBIDDEN):
            raise CannotTrade(f"Coinbase does not accept the key: {error.words}") from None
        raise
    granted = {right for right in NEEDED if told.get(f"can_{right}") is True}
    return frozenset(
        granted | ({FORBIDDEN_RIGHT} if told.get("can_transfer") is not False else set())
    )


def problem_of(rights: frozenset[str]) -> str:
    """Why a key with these rights may not trade here, in one sentence; empty when it may."""
    if FORBIDDEN_RIGHT in rights:
        return "the key may transfer money away; make one at Coinbase that cannot"
    missing = [right for right in NEEDED if right not in rights]
    return f"the key may not {' or '.join(missing)}; grant it at Coinbase" if missing else ""


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
