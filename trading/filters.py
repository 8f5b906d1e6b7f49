"""Which rows a page, the API or a file is asked for: the same fields and the same refusals."""

from typing import Any

from django import forms

from trading.queries.audit import Acts
from trading.queries.history import Wanted

LAST_PAGE = 1_000_000


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
