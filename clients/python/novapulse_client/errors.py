"""The one error: why a request was not answered as it should be."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; an empty name means the request as a whole."""

    field: str
    message: str


class NovaPulseError(Exception):
    """A problem as RFC 9457 tells it; ``status`` is 0 where there was no answer."""

    def __init__(
        self, *, status: int, title: str, detail: str, errors: Sequence[FieldError] = ()
    ) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        named = (f"{one.field}: {one.message}" if one.field else one.message for one in errors)
        words = "; ".join([detail, *named])
        super().__init__(f"{status} {title}: {words}" if status else f"{title}: {words}")
