"""What a file's name says: venue, symbol, timeframe and day, as in bitfinex_BTCUSD_1m_2018.csv.gz."""

import re
from dataclasses import dataclass
from datetime import date

from trading.marketdata.timeframes import InvalidTimeframe, parse_timeframe

VENUES = (
    "binance",
    "bitfinex",
    "bitstamp",
    "bybit",
    "coinbase",
    "gemini",
    "kraken",
    "kucoin",
    "okx",
)
QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "DAI", "BTC", "ETH", "BNB")  # fmt: skip
EDGE_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
KRAKEN_ARCHIVE = re.compile(r"([A-Z0-9.]{5,12})_(1|5|15|30|60|240|720|1440)", re.ASCII)  # minutes
KRAKEN_LEGACY = re.compile(r"X([A-Z]{3})Z([A-Z]{3})")


class InvalidSymbol(ValueError):
    """A pair that cannot be told apart into base and quote."""


@dataclass(frozen=True, slots=True)
class NamedFacts:
    """What was found; None where the name does not say it."""

    venue: str | None = None
    symbol: str | None = None
    timeframe_seconds: int | None = None
    day: date | None = None
    quotes: bool = False


def parse_symbol(text: str) -> str:
    """``BASE/QUOTE`` of the spellings in use: BTC/USD, BTC-USD, BTC_USD, BTCUSD, XBTUSD.

    Raises:
        InvalidSymbol: base and quote cannot be told apart.
    """
    upper = text.strip().upper()
    if legacy := KRAKEN_LEGACY.fullmatch(upper):
        upper = f"{legacy[1]}/{legacy[2]}"
    parts = re.split(r"[/_-]", upper)
    if len(parts) == 1:
        quote = next(
            (quote for quote in QUOTES if len(upper) - len(quote) >= 3 and upper.endswith(quote)),
            None,
        )
        parts = [upper.removesuffix(quote), quote] if quote else parts
    if len(parts) != 2 or not all(re.fullmatch(r"[A-Z0-9][A-Z0-9.]{0,15}", part) for part in parts):
        raise InvalidSymbol(f"symbol {text!r}: accepted is BASE/QUOTE, such as BTC/USD")
    return "/".join(EDGE_NAMES.get(part, part) for part in parts)


def read_name(name: str) -> NamedFacts:
    """Read a file name; words that say nothing are passed over."""
    stem = re.sub(r"(\.(csv|txt|json|feather|parquet|gz))+$", "", name, flags=re.I)
    stem = re.sub(r"-(\d+[smhd])(?![A-Za-z0-9])", r"_\1_", stem)  # BTC_USDT-5m, BTCUSDT-1m-2024-01
    if archive := KRAKEN_ARCHIVE.fullmatch(stem):
        return NamedFacts("kraken", _symbol_at([archive[1]], 0), 60 * int(archive[2]))
    words = stem.split("_")
    venue = symbol = timeframe = day = None
    for position, word in enumerate(words):
        if venue is None and word.lower() in VENUES:
            venue = word.lower()
        elif symbol is None and (found := _symbol_at(words, position)):
            symbol = found
        elif timeframe is None and (seconds := _timeframe(word)):
            timeframe = seconds
        elif day is None and re.fullmatch(r"20\d{6}", word):
            day = _day(word)
    return NamedFacts(venue, symbol, timeframe, day, quotes="quote" in words)


def _symbol_at(words: list[str], position: int) -> str | None:
    word = words[position]
    following = words[position + 1] if position + 1 < len(words) else ""
    if following.upper() in QUOTES and re.fullmatch(r"[A-Z0-9]{2,10}", word):
        return parse_symbol(f"{word}/{following}")
    if (
        not re.fullmatch(r"[A-Z0-9]{2,12}(-[A-Z]{2,6})?", word)
        or _timeframe(word)
        or word in QUOTES
    ):
        return None
    try:
        return parse_symbol(word)
    except InvalidSymbol:
        return None


def _timeframe(word: str) -> int | None:
    try:
        return parse_timeframe(word)
    except InvalidTimeframe:
        return None


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(f"{word[:4]}-{word[4:6]}-{word[6:]}")
    except ValueError:
        return None
