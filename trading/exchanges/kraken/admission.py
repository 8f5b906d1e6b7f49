"""What must be right before an account trades: what its key may do, and the grid of its pairs."""

from collections.abc import Mapping

from trading.engine.errors import CannotTrade
from trading.engine.messages import MarketSpec
from trading.exchanges.failures import reading
from trading.exchanges.kraken import names
from trading.exchanges.kraken.errors import ApiError
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.sign import UnusableKey

BAD_KEY = ("EAPI:Invalid key", "EAPI:Invalid signature", "EGeneral:Permission denied")
FORBIDDEN = frozenset({"withdraw-funds", "add-withdraw-address", "update-withdraw-address"})
NEEDED = frozenset(
    {
        "query-funds",
        "query-open-trades",
        "query-closed-trades",
        "modify-trades",
        "close-trades",
        "create-ws-token",
    }
)


async def check_key(rest: KrakenRest) -> None:
    """A key that can trade and cannot take money away.

    Raises:
        CannotTrade: one clear sentence. ApiError, Unreached, NoAnswer: it cannot be asked now.
    """
    problem = problem_of(await read_rights(rest))
    if problem:
        raise CannotTrade(problem)


async def read_rights(rest: KrakenRest) -> frozenset[str]:
    """What the key may.

    Raises:
        CannotTrade: the venue does not know it, or it cannot sign.
        ApiError, Unreached, NoAnswer: it cannot be asked.
    """
    try:
        told = await rest.read("GetApiKeyInfo")
    except ApiError as error:
        if error.words.startswith(BAD_KEY):
            raise CannotTrade(f"Kraken does not accept the key: {error.words}") from None
        raise
    except UnusableKey as error:
        raise CannotTrade(str(error)) from None
    with reading("Kraken's word on the key"):
        return frozenset(told.get("permissions") or [])


def problem_of(rights: frozenset[str]) -> str:
    """Why a key with these rights may not trade here, in one sentence; empty when it may."""
    if rights & FORBIDDEN:
        found = ", ".join(sorted(rights & FORBIDDEN))
        return f"the key may {found}; make one at Kraken that cannot"
    if NEEDED - rights:
        missing = ", ".join(sorted(NEEDED - rights))
        return f"the key lacks {missing}; grant it at Kraken"
    return ""


def check_pair(pairs: Mapping[str, names.Pair], spec: MarketSpec) -> None:
    """A pair the venue lists, on a grid that fits its own.

    Raises:
        CannotTrade: one clear sentence.
    """
    pair = names.choose(pairs, spec.symbol)
    # Fills come in the venue's lots: coarser ones of ours could not book them.
    if spec.tick_size % pair.tick_size or spec.lot_size != pair.lot_size:
        raise CannotTrade(
            f"{spec.symbol}: Kraken has tick {pair.tick_size} and lot {pair.lot_size}, stored are "
            f"{spec.tick_size} and {spec.lot_size}"
        )
