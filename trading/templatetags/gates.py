"""Votes and gates of a decision as lines; put together here, for a page has a thousand of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from trading.templatetags.figures import ratio

register = template.Library()
MARKS = {"passed": "✓"}


@register.filter
def vote_lines(votes: Iterable[Mapping[str, Any]]) -> SafeString:
    """Each strategy's score and confidence, or why it has none."""
    return format_html_join(
        "", "<div>{}: {}</div>", ((one["strategy"], _said(one)) for one in votes)
    )


def _said(vote: Mapping[str, Any]) -> str:
    if vote["abstained"] == "voted":
        return f"score {ratio(vote['score'])}, confidence {ratio(vote['confidence'])}"
    return format_html('<span class="text-secondary">{}</span>', vote["abstained"])


@register.filter
def gate_lines(gates: Iterable[Mapping[str, Any]]) -> SafeString:
    """Each gate that was asked: its answer, its value and its limit."""
    return format_html_join(
        "",
        '<div><span class="{}">{} {}</span> {} <span class="text-secondary">limit {}</span></div>',
        (
            (
                verdict,
                MARKS.get(verdict, "✗"),
                one["name"],
                ratio(one["value"]),
                ratio(one["limit"]),
            )
            for one in gates
            if (verdict := one["verdict"]) != "not asked"
        ),
    )
