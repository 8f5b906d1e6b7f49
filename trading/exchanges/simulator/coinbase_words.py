"""Coinbase's names: numbers, times, products and their aliases."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator.market import PairMarket

NS = 1_000_000_000
NO_TIME = "0001-01-01T00:00:00Z"
ALIASES = {"USDC": "USD"}  # both quotes share one book
MOST_BASE, MOST_QUOTE = Decimal(3_400), Decimal(150_000_000)


def text(value: Decimal) -> str:
    """A number as the venue writes it."""
    return f"{value.normalize():f}" if value else "0"


def stamp(time_ns: int) -> str:
    """A moment in RFC 3339; the venue's word for none."""
    if not time_ns:
        return NO_TIME
    at = datetime.fromtimestamp(time_ns // NS, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % NS // 1000:06d}Z"


def read_stamp(value: Any) -> int | None:
    """Nanoseconds of an RFC 3339 time; None where it is none."""
    try:
        at = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        seconds = at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return int(seconds * 1_000_000) * 1000


def symbol_of(product_id: str) -> str:
    """BTC/USD of BTC-USD."""
    return product_id.replace("-", "/")


def product_of(symbol: str) -> str:
    """BTC-USD of BTC/USD."""
    return symbol.replace("/", "-")


def find_market(markets: Mapping[str, PairMarket], product_id: str) -> PairMarket | None:
    """The market of a product, or the one it is an alias of."""
    base, _, quote = product_id.partition("-")
    return markets.get(f"{base}/{quote}") or markets.get(f"{base}/{ALIASES.get(quote, quote)}")


def aliases_of(symbol: str) -> list[str]:
    """Products that share a market's book."""
    base, quote = symbol.split("/")
    return [f"{base}-{other}" for other, book in ALIASES.items() if book == quote]


def product(market: PairMarket, product_id: str, *, mode: str) -> dict[str, Any]:
    """A product; ``product_id`` may be an alias."""
    base, quote = product_id.split("-")
    grid, bests = market.grid, [side[0][0] for side in market.book(1)]
    is_alias = symbol_of(product_id) != market.symbol
    tick = text(grid.tick_size)
    return {
        "product_id": product_id,
        "price": text(market.last_price()),
        "price_percentage_change_24h": "0",
        "volume_24h": "2400",
        "volume_percentage_change_24h": "0",
        "base_increment": text(grid.lot_size),
        "quote_increment": tick,
        "quote_min_size": text(grid.min_notional),
        "quote_max_size": text(MOST_QUOTE),
        "base_min_size": text(grid.min_quantity),
        "base_max_size": text(MOST_BASE),
        "base_name": base,
        "quote_name": quote,
        "watched": False,
        **_flags(mode),
        "product_type": "SPOT",
        "base_currency_id": base,
        "quote_currency_id": quote,
        "base_display_symbol": base,
        "quote_display_symbol": quote,
        "fcm_trading_session_details": None,
        "mid_market_price": text(sum(bests, Decimal(0)) / 2),
        "alias": product_of(market.symbol) if is_alias else "",
        "alias_to": [] if is_alias else aliases_of(market.symbol),
        "price_increment": tick,
        "display_name": product_id,
    }


def _flags(mode: str) -> dict[str, Any]:
    """What may be done with every product just now."""
    is_off = mode == "maintenance"
    return {
        "status": "offline" if is_off else "online",
        "trading_disabled": is_off,
        "cancel_only": mode == "cancel_only",
        "post_only": mode == "post_only",
        **dict.fromkeys(("is_disabled", "new", "limit_only", "auction_mode", "view_only"), False),
    }
