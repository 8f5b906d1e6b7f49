"""Kraken's names and texts: assets, pairs, numbers and times as REST and WebSocket write them."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Raw

from trading.exchanges.simulator.accounts import KRAKEN_TARIFF
from trading.exchanges.simulator.market import Grid, PairMarket
from trading.exchanges.simulator.rules import Rejected

NS = 1_000_000_000
DAY_SECONDS = 86_400
LEGACY = {  # asset as customers say it: (REST key, altname)
    "BTC": ("XXBT", "XBT"),
    "ETH": ("XETH", "ETH"),
    "XRP": ("XXRP", "XRP"),
    "DOGE": ("XXDG", "XDG"),
    "LTC": ("XLTC", "LTC"),
    "USD": ("ZUSD", "USD"),
    "EUR": ("ZEUR", "EUR"),
}


def asset_key(asset: str) -> str:
    """REST's key of an asset."""
    return LEGACY.get(asset, (asset, asset))[0]


def altname(asset: str) -> str:
    """The older name of an asset."""
    return LEGACY.get(asset, (asset, asset))[1]


def pair_key(symbol: str) -> str:
    """REST's key of a pair: XXBTZUSD, SOLUSD."""
    base, quote = symbol.split("/")
    if base in LEGACY and quote in LEGACY and base != "DOGE":
        return asset_key(base) + asset_key(quote)
    return altname(base) + altname(quote)


def pair_names(symbol: str) -> set[str]:
    """Every name REST takes for a pair."""
    base, quote = symbol.split("/")
    return {pair_key(symbol), altname(base) + altname(quote), f"{altname(base)}/{altname(quote)}",
            symbol}  # fmt: skip


def pair_facts(market: PairMarket, status: str) -> dict[str, Any]:
    """One entry of AssetPairs."""
    base, quote = market.symbol.split("/")
    grid: Grid = market.grid
    return {
        "altname": altname(base) + altname(quote),
        "wsname": f"{altname(base)}/{altname(quote)}",
        "aclass_base": "currency",
        "base": asset_key(base),
        "aclass_quote": "currency",
        "quote": asset_key(quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": grid.price_decimals,
        "lot_decimals": grid.lot_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, float(KRAKEN_TARIFF.taker * 100)]],
        "fees_maker": [[0, float(KRAKEN_TARIFF.maker * 100)]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": text(grid.min_quantity),
        "costmin": text(grid.min_notional),
        "tick_size": text(grid.tick_size),
        "status": status,
    }


def text(value: Decimal) -> str:
    """A number as REST writes it."""
    return f"{value:f}"


def raw(value: Decimal) -> Raw:
    """A number of JSON with every digit of its decimal."""
    return Raw(f"{value:f}".encode())


def seconds(time_ns: int) -> Raw:
    """A REST time stamp: seconds with a fraction."""
    return Raw(f"{time_ns // NS}.{time_ns % NS // 10_000:05d}".encode())


def stamp(time_ns: int) -> str:
    """A WebSocket time stamp."""
    at = datetime.fromtimestamp(time_ns // NS, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % NS // 1000:06d}Z"


def read_stamp(value: str, field: str) -> int:
    """Nanoseconds of an RFC 3339 time.

    Raises:
        Rejected: it is none.
    """
    try:
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        raise Rejected(f"EGeneral:Invalid arguments:{field}") from None
    return int(at.timestamp() * 1_000_000) * 1000


def number(value: Any, field: str) -> Decimal:
    """A number of a request.

    Raises:
        Rejected: it is none.
    """
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        read = Decimal("nan")
    if not read.is_finite():
        raise Rejected(f"EGeneral:Invalid arguments:{field}")
    return read


def whole(value: Any, field: str, *, most: int) -> int:
    """A whole number of a request, from 0; nothing told is 0.

    Raises:
        Rejected: it is none, or more than ``most``.
    """
    read = number(value or 0, field)
    if not 0 <= read <= most or read % 1:
        raise Rejected(f"EGeneral:Invalid arguments:{field}")
    return int(read)


def is_true(value: Any) -> bool:
    """A flag of a request, from a form or from JSON."""
    return str(value or "").lower() in ("true", "1")


def timeout(value: Any) -> int:
    """Seconds of the dead-man switch.

    Raises:
        Rejected: more than a day, or no number.
    """
    return whole(value, "timeout", most=DAY_SECONDS - 1)


def switch(*, now_ns: int, fires_ns: int) -> dict[str, Any]:
    """How the dead-man switch stands."""
    return {"currentTime": stamp(now_ns), "triggerTime": stamp(fires_ns) if fires_ns else "0"}


def pair_names_short(symbol: str) -> str:
    """The altname of a pair."""
    base, quote = symbol.split("/")
    return altname(base) + altname(quote)
