"""``If-Match``: a change says what it is based on, so that nobody overwrites what he has not seen."""

from rest_framework import exceptions, status
from rest_framework.request import Request

HEADER = "If-Match"


class PreconditionFailed(exceptions.APIException):
    """What the change is based on is not what stands now."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"


class PreconditionRequired(exceptions.APIException):
    """The change does not say what it is based on."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_code = "precondition_required"


def require_match(request: Request, *, etag: str) -> None:
    """Let a change through that is based on what stands now.

    Raises:
        PreconditionRequired: it does not say so.
        PreconditionFailed: it is based on something else.
    """
    told = request.headers.get(HEADER)
    if told is None:
        raise PreconditionRequired(
            f"Send {HEADER} with the ETag of what you read; now it is {etag}."
        )
    if told.strip() != "*" and etag not in (part.strip() for part in told.split(",")):
        raise PreconditionFailed(
            f"{HEADER} was {told[:100]}, but {etag} is in force; read it again."
        )
