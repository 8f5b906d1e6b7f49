"""The frame of every page: the menu, and the numbers of gates in their units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils import timezone

from trading.core.nearest import Unit
from trading.models import Engine
from trading.queries.standing import state_of
from trading.templatetags.figures import ratio

register = template.Library()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu; it is current on every route that begins like it, and like no other more."""

    words: str
    route: str
    icon: str
    begins: tuple[str, ...]
    needs: str = "view"

    def fits(self, route: str) -> int:
        """How much of a route's name is this line's."""
        return max((len(one) for one in self.begins if route.startswith(one)), default=0)


MENU: Mapping[str, tuple[Entry, ...]] = {
    "Trading": (
        Entry("Dashboard", "dashboard", "home", ("dashboard", "engine")),
        Entry("Charts", "charts", "candles", ("charts", "market")),
        Entry("Markets", "markets", "star", ("markets",)),
        Entry("Decisions", "decisions", "branch", ("decision",)),
        Entry("Bots", "bots", "sliders", ("bot", "edit_bot", "new_bot")),
        Entry("Orders & history", "history", "list", ("history",)),
        Entry("Execution", "execution", "bolt", ("execution",)),
        Entry("Status", "standing", "pulse", ("standing",)),
        Entry("Notifications", "notifications", "bell", ("notification",)),
    ),
    "Research": (Entry("Backtests", "runs", "flask", ("run", "new_run", "compare")),),
    "Workspace": (
        Entry("Exchange accounts", "accounts", "bank", ("account", "add_account")),
        Entry("Team", "team", "people", ("team", "change_member")),
        Entry("API keys", "keys", "key", ("keys",), "manage"),
        Entry("Settings", "settings", "sliders", ("settings",), "manage"),
        Entry("API documentation", "api_docs", "book", ("api_docs",)),
        Entry("Audit log", "audit", "shield", ("audit",), "manage"),
    ),
}


@register.inclusion_tag("ui/_menu.html", takes_context=True)
def menu(context: RequestContext) -> dict[str, Any]:
    """The pages this member may open, the present one marked."""
    tenant, match = context["tenant"], context["request"].resolver_match
    route = (match.url_name if match else "") or ""
    best = max(entry.fits(route) for entries in MENU.values() for entry in entries)
    shown = [
        (
            section,
            [
                (entry, 0 < best == entry.fits(route))
                for entry in entries
                if tenant.allows(entry.needs)
            ],
        )
        for section, entries in MENU.items()
    ]
    return {"sections": shown}


@register.filter
def state_now(engine: Engine) -> Engine.Observed:
    """Its state as this page is made: one that fell silent since does not run."""
    return state_of(engine, now=timezone.now())


@register.filter
def in_unit(value: float | None, unit: Unit) -> str:
    """A gate's number as people read it."""
    if value is None:
        return "–"
    if unit is Unit.SHARE:
        return f"{value:.3%}"
    if unit in (Unit.COUNT, Unit.LOTS):
        return f"{value:,.0f}"
    if unit is Unit.HOUR:
        return f"{value:02.0f}:00 UTC"
    if unit is Unit.BARS:
        return f"{value:,.0f} {'bar' if value == 1 else 'bars'}"
    return f"{value:,.2f}" if unit is Unit.MONEY else ratio(value)


@register.filter
def plain(name: str) -> str:
    """A strategy's name in words."""
    return name.replace("_", " ")


@register.filter
def group_title(group: str) -> str:
    """What a group of parameters is of."""
    kind, _, name = group.rpartition(".")
    return f"Strategy: {plain(name)}" if kind == "strategies" else plain(name).capitalize()


@register.filter
def setting(value: float | None) -> str:
    """A parameter's value in full, without trailing zeros; a dash where there is none."""
    return "–" if value is None else f"{value:.12g}"
