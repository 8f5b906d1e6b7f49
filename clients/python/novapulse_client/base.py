"""What every answer is: a frozen value; fields that a newer server adds are ignored."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A value; to change one, ask again."""


class Page(Model, Generic[T], frozen=True, kw_only=True):
    """Some rows, and where to go on."""

    items: list[T]
    next: str | None = None
