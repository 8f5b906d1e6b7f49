"""Correlation groups: currencies that fall together and therefore share a limit."""

MEMBERS = (
    ("BTC",),
    ("ETH",),
    ("SOL", "AVAX", "DOT", "ADA"),
    ("XRP", "LTC", "BCH", "XLM", "DASH"),
    ("LINK", "PYTH", "BAND"),
)
GROUPS = {base: number for number, bases in enumerate(MEMBERS, start=1) for base in bases}
