"""What was left of a trade that no order may sell, in words."""

from decimal import Context, Decimal

ABOUT = Context(prec=2)  # dust is worth little: two digits say enough


def dust_words(quantity: Decimal, base: str, cost: Decimal, quote: str) -> str:
    """How much was written off, and about what it cost; empty where nothing was."""
    if not quantity:
        return ""
    about = ABOUT.plus(cost)
    return f"dust written off: {quantity.normalize():f} {base} ({about.normalize():f} {quote})"
