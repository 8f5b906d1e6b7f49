"""Which rows a page, the API or a file is asked for: the same fields and the same refusals."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from trading.queries.attribution import WAYS
from trading.queries.audit import Acts
from trading.queries.chapters import ALL, Which, list_chapters
from trading.queries.decisions import REASONS, STAGES, Sought
from trading.queries.events import KINDS, After, Event, Happened
from trading.queries.history import Wanted
from trading.queries.holds import Alerts
from trading.queries.places import Key, Place
from trading.queries.plots import UnknownStrategy, check_strategies

LAST_PAGE = 1_000_000
RANKS = frozenset(str(rank) for rank in range(len(KINDS)))  # of events
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMBER = r"\d{1,18}"
UUID_TEXT = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PLACE = re.compile(rf"(\d{{1,17}})-(?:({NUMBER})|({UUID_TEXT}))", re.ASCII)


def _moment(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        required=False,
        label=label,
        error_messages={"invalid": "A date or time in UTC, such as 2026-01-05 or 2026-01-05T12:00Z."},
        widget=forms.DateTimeInput(attrs={"placeholder": f"{label} 2026-01-05", "class": "form-control"}),
    )  # fmt: skip


def _id(what: str) -> forms.UUIDField:
    return forms.UUIDField(required=False, error_messages={"invalid": f"The id of {what}."})


class HistoryFilter(forms.Form):
    """Of one account, bot and pair, from a moment until before another."""

    account = _id("an account")
    bot = _id("a bot")
    pair = forms.CharField(required=False, max_length=40)
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), ("open", "Open"), ("closed", "Closed")],
        error_messages={"invalid_choice": "open or closed; was %(value)s."},
    )
    since = _moment("From")
    until = _moment("Until")
    page = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE)

    @property
    def wanted(self) -> Wanted:
        """For the queries."""
        told = self.cleaned_data
        return Wanted(
            account_id=told["account"],
            since=told["since"],
            until=told["until"],
            bot_id=told["bot"],
            pair=told["pair"] or None,
            is_open=told["state"] == "open" if told["state"] else None,
        )


class ChapterFilter(HistoryFilter):
    """The same, and which chapter of an account that started over, or all; else the current one."""

    chapter = forms.CharField(required=False, max_length=len(str(LAST_PAGE)))

    def clean_chapter(self) -> Which:
        """By its number, or all of them."""
        text: str = self.cleaned_data["chapter"]
        if not text:
            return None
        if text == ALL:
            return ALL
        if not (text.isascii() and text.isdigit() and int(text) >= 1):
            raise forms.ValidationError(f"A number from 1, or {ALL}; was {text}.")
        return int(text)

    def clean(self) -> dict[str, Any]:
        """A chapter is one of an account's."""
        cleaned: dict[str, Any] = super().clean() or {}
        number, account_id = cleaned.get("chapter"), cleaned.get("account")
        self.chapters = list_chapters(account_id=account_id) if account_id else []
        if isinstance(number, int) and account_id is None:
            self.add_error("chapter", f"{number} needs an account beside it.")
        elif isinstance(number, int) and number > len(self.chapters):
            self.add_error("chapter", f"{number}, accepted is 1 to {len(self.chapters)}.")
        return cleaned


class AttributionFilter(ChapterFilter):
    """The same, and which way closed trades are split."""

    by = forms.ChoiceField(
        required=False,
        choices=[(name, name) for name in WAYS],
        error_messages={"invalid_choice": f"One of {', '.join(WAYS)}; was %(value)s."},
    )

    @property
    def way(self) -> str:
        """By strategy, where nothing was said."""
        return self.cleaned_data["by"] or "strategy"


class EventFilter(forms.Form):
    """Of one kind and account, from a moment until before another."""

    kind = forms.ChoiceField(
        required=False,
        choices=[("", "Anything"), *KINDS.items()],
        error_messages={"invalid_choice": f"One of {', '.join(KINDS)}; was %(value)s."},
    )
    account = _id("an account")
    since = _moment("From")
    until = _moment("Until")

    @property
    def happened(self) -> Happened:
        """For the queries."""
        return Happened(**self.cleaned_data)


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


class AlertFilter(forms.Form):
    """Of one engine, from a moment until before another."""

    engine = _id("an engine")
    since = _moment("From")
    until = _moment("Until")

    @property
    def alerts(self) -> Alerts:
        """For the queries."""
        return Alerts(**self.cleaned_data)


class ChartFilter(forms.Form):
    """One market of one engine, by the engine's own number of it."""

    engine = forms.UUIDField(
        error_messages={"invalid": "The id of an engine.", "required": "The id of an engine."}
    )
    market = forms.IntegerField(required=False, min_value=0, max_value=LAST_PAGE)
    strategies = forms.CharField(required=False, max_length=1000)

    def clean_strategies(self) -> list[str]:
        """Names of strategies, with commas."""
        try:
            return check_strategies(self.cleaned_data["strategies"])
        except UnknownStrategy as error:
            raise forms.ValidationError(str(error)) from None


class DecisionFilter(forms.Form):
    """Of one account, bot, pair, stage and reason, from a moment until before another."""

    account = _id("an account")
    bot = _id("a bot")
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

    def clean_before(self) -> Place | None:
        """The place in the list."""
        return read_place(self.cleaned_data["before"], of=int)

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


class RunOf(forms.Form):
    """The revision of a bot that is to be tested."""

    bot = _id("a bot")
    revision = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE)


def write_place(place: Place) -> str:
    """A place in a list, for the address of the page after it."""
    return f"{(place.at - EPOCH) // timedelta(microseconds=1)}-{place.key}"


def read_place(text: str, *, of: type[Key]) -> Place | None:
    """What ``write_place`` wrote of a list with such keys; None for nothing.

    Raises:
        ValidationError: no page of the list wrote it.
    """
    if not text:
        return None
    found = PLACE.fullmatch(text)
    key = found and found[2 if of is int else 3]
    if found is None or not key:
        raise forms.ValidationError(f"{text!r} was not given by a page of this list.")
    return Place(EPOCH + timedelta(microseconds=int(found[1])), of(key))


def write_event_place(event: Event) -> str:
    """An event's place in the list of all of them."""
    return f"{event.rank}.{write_place(Place(event.at, event.key))}"


def read_event_place(text: str) -> After | None:
    """What ``write_event_place`` wrote; None for nothing.

    Raises:
        ValidationError: no page of the list wrote it.
    """
    rank, _, rest = text.partition(".")
    place = read_place(rest if rank in RANKS else text, of=UUID)
    if place is None:
        return None
    if rank not in RANKS:
        raise forms.ValidationError(f"{text!r} was not given by a page of this list.")
    return After(place, int(rank))
