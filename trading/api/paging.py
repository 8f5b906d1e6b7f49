"""Cursor paging: ``?limit=`` and ``?cursor=``, the key or the place of the last row that was told."""

from uuid import UUID

from django.core.exceptions import ValidationError as FormError
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from trading.filters import read_place, write_place
from trading.models import Bot
from trading.queries.bots import page_bots
from trading.queries.places import Key, Place

DEFAULT_LIMIT, MOST_LIMIT = 50, 500
LARGEST = 2**31 - 1
PAGE = (
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT}),
    OpenApiParameter("cursor", str, description="`next` of the page before"),
)


def limit_of(request: Request) -> int:
    """How many rows are wanted.

    Raises:
        ValidationError: no whole number within bounds.
    """
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST_LIMIT):
        raise ValidationError({"limit": f"A whole number from 1 to {MOST_LIMIT}, was {text!r}."})
    return int(text)


def cursor_of(request: Request) -> int | None:
    """The number after which the page begins; None for the first page.

    Raises:
        ValidationError: not one of our cursors.
    """
    text = request.query_params.get("cursor")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST):
        raise ValidationError({"cursor": f"{text!r} was not given by a page of this list."})
    return int(text)


def id_of(request: Request) -> UUID | None:
    """The row after which the page begins; None for the first page.

    Raises:
        ValidationError: not one of our cursors.
    """
    text = request.query_params.get("cursor")
    try:
        return UUID(text) if text is not None else None
    except ValueError:
        raise ValidationError(
            {"cursor": f"{text!r} was not given by a page of this list."}
        ) from None


def page_of_bots(request: Request) -> tuple[list[Bot], str | None]:
    """The bots that are wanted, and where to go on.

    Raises:
        ValidationError: limit or cursor cannot be read.
    """
    limit, before = limit_of(request), place_of(request, of=UUID)
    found = page_bots(before=before, most=limit + 1)
    shown = found[:limit]
    last = Place(shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return shown, write_place(last) if last else None


def place_of(request: Request, *, of: type[Key]) -> Place | None:
    """The place after which the page begins; None for the first page.

    Raises:
        ValidationError: not one of our cursors.
    """
    try:
        return read_place(request.query_params.get("cursor", ""), of=of)
    except FormError as error:
        raise ValidationError({"cursor": error.messages}) from None
