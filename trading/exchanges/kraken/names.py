"""Pairs and assets as Kraken's tables name them; nothing is guessed from letters."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from trading.engine.errors import CannotTrade
from trading.exchanges.failures import UNREADABLE

TABLE = "AssetPairs"
RENAMED = {"XBT": "BTC", "XDG": "DOGE"}


class UnknownPair(CannotTrade):
    """The venue does not list a pair; the text names near ones."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What the venue says of one pair."""

    symbol: str  # BTC/USD, as WebSocket v2 and we name it
    key: str  # XXBTZUSD
    altname: str  # XBTUSD
    base: str
    quote: str
    price_decimals: int  # of prices as text; the tick may be coarser
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    status: str


def asset_names(assets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """REST key of every asset -> our name; suffixed balances (.S, .F, …) are not in the table.

    An asset without a name keeps its key, and takes no other away.
    """
    found = {}
    for key, told in assets.items():
        with suppress(*UNREADABLE):
            found[key] = plain(str(told["altname"]))
    return found


def plain(altname: str) -> str:
    """XBT is BTC everywhere but at Kraken."""
    return RENAMED.get(altname, altname)


def symbol_of(facts: Mapping[str, Any]) -> str:
    """BTC/USD, of one entry of AssetPairs; empty: it has none."""
    base, _, quote = str(facts.get("wsname", "")).partition("/")
    return f"{plain(base)}/{plain(quote)}" if quote else ""


def read_pairs(told: Mapping[str, Mapping[str, Any]]) -> dict[str, Pair]:
    """The table of AssetPairs by our symbols; entries without what an order needs are left out."""
    found = {}
    for key, facts in told.items():
        try:
            pair = _pair(key, facts)
        except UNREADABLE:
            continue
        if pair.symbol:
            found[pair.symbol] = pair
    return found


def _pair(key: str, facts: Mapping[str, Any]) -> Pair:
    symbol, decimals = symbol_of(facts), int(facts["pair_decimals"])
    base, _, quote = symbol.partition("/")
    return Pair(
        symbol=symbol,
        key=key,
        altname=str(facts["altname"]),
        base=base,
        quote=quote,
        price_decimals=decimals,
        tick_size=_step(facts.get("tick_size") or Decimal(1).scaleb(-decimals)),
        lot_size=Decimal(1).scaleb(-int(facts["lot_decimals"])),
        min_quantity=Decimal(str(facts.get("ordermin") or "0")),
        min_notional=Decimal(str(facts.get("costmin") or "0")),
        status=str(facts.get("status", "online")),
    )


def heard_pair(known: Pair, row: Mapping[str, Any]) -> Pair:
    """A pair as the instrument channel tells it now; what it does not tell stays.

    Raises:
        ValueError, ArithmeticError, TypeError: it cannot be read.
    """
    return replace(
        known,
        price_decimals=int(row.get("price_precision", known.price_decimals)),
        tick_size=_step(row.get("price_increment", known.tick_size)),
        lot_size=_step(row.get("qty_increment", known.lot_size)),
        min_quantity=Decimal(str(row.get("qty_min", known.min_quantity))),
        min_notional=Decimal(str(row.get("cost_min", known.min_notional))),
        status=str(row.get("status", known.status)),
    )


def _step(told: Any) -> Decimal:
    step = Decimal(str(told))
    if not step.is_finite() or step <= 0:
        raise ValueError(f"a step of {step}")
    return step


def choose(pairs: Mapping[str, Pair], symbol: str) -> Pair:
    """One pair of the table.

    Raises:
        UnknownPair: it is not listed.
    """
    if symbol in pairs:
        return pairs[symbol]
    base = symbol.split("/")[0]
    near = sorted(name for name in pairs if name.startswith(f"{base}/"))[:5]
    hint = f"; it lists {', '.join(near)}" if near else ""
    raise UnknownPair(f"Kraken does not list {symbol}{hint}")
