"""Products as Coinbase lists them: names, grids, and what may be done with them now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.engine.errors import CannotTrade
from trading.exchanges.failures import UNREADABLE

PRODUCTS = "/market/products"
SHUT = ("is_disabled", "trading_disabled", "view_only")  # nothing can be done with it
LIMITED = (
    "cancel_only",
    "limit_only",
    "post_only",
    "auction_mode",
)  # not all that a position needs


class UnknownProduct(CannotTrade):
    """The venue does not list a symbol; the text names near ones."""


@dataclass(frozen=True, slots=True)
class Product:
    """What the venue says of one product."""

    symbol: str  # BTC/USD, as we name it
    product_id: str  # BTC-USD
    alias: str  # under which market data of it comes, too; empty: none
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    price: Decimal  # of the last trade; 0: unknown
    is_online: bool
    flags: frozenset[str]

    @property
    def shut_by(self) -> str:
        """Why nothing can be done with it; empty: it trades."""
        found = [flag for flag in SHUT if flag in self.flags]
        return found[0] if found else "" if self.is_online else "not online"

    @property
    def limited_by(self) -> str:
        """Why no position can be opened now; empty: one can."""
        return self.shut_by or next((flag for flag in LIMITED if flag in self.flags), "")


def symbol_of(facts: Mapping[str, Any]) -> str:
    """BTC/USD, of one product."""
    return f"{facts.get('base_currency_id')}/{facts.get('quote_currency_id')}"


def read_list(told: Mapping[str, Any]) -> dict[str, Product]:
    """Spot products of an answer, by our symbols."""
    rows = told.get("products")
    return read_products(rows if isinstance(rows, list) else [])


def read_products(told: Iterable[Mapping[str, Any]]) -> dict[str, Product]:
    """Spot products by our symbols; entries without what an order needs are left out."""
    found = {}
    for facts in told:
        try:
            if str(facts.get("product_type") or "SPOT") != "SPOT":
                continue
            product = read_product(facts)
        except UNREADABLE:
            continue
        found[product.symbol] = product
    return found


def read_product(facts: Mapping[str, Any]) -> Product:
    """One product.

    Raises:
        KeyError, InvalidOperation, ValueError: what an order needs is missing.
    """
    base, quote = str(facts["base_currency_id"]), str(facts["quote_currency_id"])
    tick = Decimal(str(facts.get("price_increment") or facts["quote_increment"]))
    lot = Decimal(str(facts["base_increment"]))
    if not (base and quote and tick > 0 and lot > 0):
        raise ValueError(f"product {facts['product_id']} has no grid")
    return Product(
        symbol=f"{base}/{quote}",
        product_id=str(facts["product_id"]),
        alias=str(facts.get("alias") or ""),
        base=base,
        quote=quote,
        tick_size=tick,
        lot_size=lot,
        min_quantity=Decimal(str(facts.get("base_min_size") or "0")),
        min_notional=Decimal(str(facts.get("quote_min_size") or "0")),
        price=Decimal(str(facts.get("price") or "0")),
        is_online=str(facts.get("status") or "online") == "online",
        flags=frozenset(flag for flag in (*SHUT, *LIMITED) if facts.get(flag) is True),
    )


def choose(products: Mapping[str, Product], symbol: str) -> Product:
    """One product of the list.

    Raises:
        UnknownProduct: it is not listed.
    """
    if symbol in products:
        return products[symbol]
    base = symbol.split("/")[0]
    near = sorted(name for name in products if name.startswith(f"{base}/"))[:5]
    hint = f"; it lists {', '.join(near)}" if near else ""
    raise UnknownProduct(f"Coinbase does not list {symbol}{hint}")
