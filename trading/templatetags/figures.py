"""Numbers and times as the pages write them."""

from datetime import UTC, datetime
from decimal import Decimal

from django import template

register = template.Library()
MINUS = "−"  # as wide as a digit


@register.filter
def money(value: Decimal | float | None) -> str:
    """Two decimals with thousands separators; a dash for nothing."""
    return "–" if value is None else f"{value:,.2f}".replace("-", MINUS)


@register.filter
def signed(value: Decimal | float | None) -> str:
    """Money with its sign always shown."""
    return "–" if value is None else f"{value:+,.2f}".replace("-", MINUS)


@register.filter
def tone(value: Decimal | float | None) -> str:
    """Class of the colour a gain or a loss has."""
    if not value:
        return ""
    return "up" if value > 0 else "down"


@register.filter
def exact(value: Decimal | None) -> str:
    """A stored decimal in full, with thousands separators, without trailing zeros."""
    return f"{value.normalize():,f}" if isinstance(value, Decimal) else "–"


@register.filter
def ms_time(value: int | None) -> str:
    """Epoch milliseconds as UTC time."""
    if not value:
        return "–"
    return datetime.fromtimestamp(value / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")


@register.filter
def ratio(value: float | None) -> str:
    """A score or a gate's number, short."""
    if value is None:
        return "–"
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", MINUS)


@register.filter
def minus(value: Decimal | float | None, other: Decimal | float) -> float | None:
    """Difference, or None without a value."""
    return None if value is None else float(value) - float(other)


@register.filter
def percent(value: float | str | None) -> str:
    """A share as a percentage; a dash for nothing, which templates give as an empty text."""
    return f"{value:.2%}".replace("-", MINUS) if isinstance(value, float | int) else "–"


@register.filter
def shown(value: float | str | None, form: str) -> str:
    """A number in the form its kind has: percent, money, count or number."""
    if form == "percent" or not isinstance(value, float | int):
        return percent(value)
    return (f"{value:,}" if form == "count" else f"{value:,.2f}").replace("-", MINUS)
