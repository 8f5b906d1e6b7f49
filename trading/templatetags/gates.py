"""Votes and gates of a decision as lines; put together here, for a page has a thousand of them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import escape as escape_slowly
from django.utils.safestring import SafeString, mark_safe

from trading.templatetags.figures import ratio

register = template.Library()
MARKS = {"passed": "✓"}
escape = lru_cache(256)(escape_slowly)  # of the few names of strategies, gates and verdicts


@register.filter
def vote_lines(votes: Iterable[Mapping[str, Any]]) -> SafeString:
    """Each strategy's score and confidence, or why it has none."""
    return mark_safe("".join(f"<div>{_name(v)}: {_said(v)}</div>" for v in votes))  # noqa: S308 - escaped


def _name(vote: Mapping[str, Any]) -> str:
    return escape(vote["strategy"].replace("_", " "))


def _said(vote: Mapping[str, Any]) -> str:
    if vote["abstained"] == "voted":
        return f"score {ratio(vote['score'])}, confidence {ratio(vote['confidence'])}"
    return f'<span class="text-secondary">{escape(vote["abstained"])}</span>'


@register.filter
def gate_lines(gates: Iterable[Mapping[str, Any]]) -> SafeString:
    """Each gate that was asked: its answer, its value and its limit."""
    return mark_safe("".join(_line(gate) for gate in gates if gate["verdict"] != "not asked"))  # noqa: S308 - escaped


def _line(gate: Mapping[str, Any]) -> str:
    verdict, name = escape(gate["verdict"]), escape(gate["name"])
    return (
        f'<div><span class="{verdict}">{MARKS.get(verdict, "✗")} {name}</span> {ratio(gate["value"])} '
        f'<span class="text-secondary">limit {ratio(gate["limit"])}</span></div>'
    )
