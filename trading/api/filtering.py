"""What a list or a file may be narrowed to; checked by the forms the pages use."""

from typing import TypeVar

from django.forms import Form
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

from trading.queries.chapters import ALL

ACCOUNT = OpenApiParameter("account", OpenApiTypes.UUID, description="of one account alone")
CHAPTER = OpenApiParameter(
    "chapter",
    {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "enum": [ALL]}]},
    description="of the account, 1 the oldest, or all; without: the one since it last started over",
)
BOT = OpenApiParameter("bot", OpenApiTypes.UUID, description="of one bot alone")
ENGINE = OpenApiParameter("engine", OpenApiTypes.UUID, description="of one engine alone")
PAIR = OpenApiParameter("pair", str, description="of one pair alone, such as BTC/USD")
SPAN = (
    OpenApiParameter("since", str, description="from this moment (UTC, ISO-8601)"),
    OpenApiParameter("until", str, description="until before this moment"),
)

Filter = TypeVar("Filter", bound=Form)


def checked(form: Filter) -> Filter:
    """The form, when everything in it can be accepted.

    Raises:
        ValidationError: naming each field that cannot.
    """
    if not form.is_valid():
        told = {
            name: [_with_value(str(one), form.data.get(name)) for one in words]
            for name, words in form.errors.items()
        }
        raise ValidationError(told)
    return form


def _with_value(words: str, value: str | None) -> str:
    """The form's own sentence, and what was sent where it does not say so; a page has it beside."""
    if not value or value in words:
        return words
    return f"{words.rstrip('.')}, was {value!r:.80}."
