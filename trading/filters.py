"""Which rows a page, the API or a file is asked for: the same fields and the same refusals."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms

from trading.queries.audit import Acts
from trading.queries.decisions import REASONS, STAGES, Cursor, Sought, Told
from trading.queries.history import Wanted

LAST_PAGE = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR = re.compile(r"(\d{1,17})-(\d{1,18})", re.ASCII)


def _moment(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        required=False,
        label=label,
        error_messages={"invalid": "A date or time in UTC, such as 2026-01-05 or 2026-01-05T12:00Z."},
        widget=forms.DateTimeInput(attrs={"placeholder": f"{label} 2026-01-05", "class": "form-control"}),
    )  # fmt: skip


class HistoryFilter(forms.Form):
    """Of one account, from a moment until before another."""

    account = forms.UUIDField(required=False, error_messages={"invalid": "The id of an account."})
    since = _moment("From")
    until = _moment("Until")
    page = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE)

    @property
    def wanted(self) -> Wanted:
        """For the queries."""
        told = self.cleaned_data
        return Wanted(account_id=told["account"], since=told["since"], until=told["until"])


class AuditFilter(forms.Form):
    """Of one actor, of actions that begin so, from a moment until before another."""

    actor = forms.CharField(required=False, max_length=254)
    action = forms.CharField(required=False, max_length=60)
    since = _moment("From")
    until = _moment("Until")
    before = forms.IntegerField(required=False, min_value=1)

    @property
    def acts(self) -> Acts:
        """For the queries."""
        told: dict[str, Any] = self.cleaned_data
        return Acts(**{name: told[name] for name in ("actor", "action", "since", "until")})


class DecisionFilter(forms.Form):
    """Of one bot, pair, stage and reason, from a moment until before another."""

    bot = forms.UUIDField(required=False, error_messages={"invalid": "The id of a bot."})
    pair = forms.CharField(required=False, max_length=40)
    stage = forms.ChoiceField(
        required=False,
        choices=[("", "Any stage"), *((name, name.capitalize()) for name in STAGES)],
        error_messages={"invalid_choice": f"One of {', '.join(STAGES)}; was %(value)s."},
    )
    reason = forms.ChoiceField(
        required=False,
        choices=[("", "Any reason"), *((n, n.replace("_", " ").capitalize()) for n in REASONS)],
        error_messages={"invalid_choice": f"One of {', '.join(REASONS)}; was %(value)s."},
    )
    since = _moment("From")
    until = _moment("Until")
    before = forms.CharField(required=False, max_length=40)

    def clean_before(self) -> Cursor | None:
        """The place in the list."""
        return read_cursor(self.cleaned_data["before"])

    @property
    def sought(self) -> Sought:
        """For the queries."""
        told = dict(self.cleaned_data)
        told.pop("before")
        return Sought(**told)


class RevisionFilter(forms.Form):
    """One revision, and another beside it."""

    number = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE)
    beside = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE)


def write_cursor(told: Told) -> str:
    """A decision's place, for the address of the page after it."""
    return f"{(told.row.bar_opened_at - EPOCH) // timedelta(microseconds=1)}-{told.row.id}"


def read_cursor(text: str) -> Cursor | None:
    """What ``write_cursor`` wrote; None for nothing.

    Raises:
        ValidationError: no page of the list wrote it.
    """
    if not text:
        return None
    found = CURSOR.fullmatch(text)
    if found is None:
        raise forms.ValidationError(f"{text!r} was not given by a page of this list.")
    return Cursor(EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))
