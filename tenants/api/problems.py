"""Errors as RFC 9457 problem details; what a refused request wrote is rolled back."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"


class Conflict(exceptions.APIException):
    """What was asked does not go with the state of things."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This does not go with the present state."
    default_code = "conflict"


class OtherRequest(exceptions.APIException):
    """An ``Idempotency-Key`` that was used for another request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "This Idempotency-Key was used for another request; choose a new one."
    default_code = "other_request"


class TooLarge(exceptions.APIException):
    """A body larger than is read."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: any expected error as a problem, anything else to Django."""
    answer = exception_handler(error, context)
    if answer is None:
        return None
    request = context["request"]
    if getattr(request._request, "tenant", None) is not None:
        transaction.set_rollback(True)
    answer.data = _problem(error, answer)
    answer.content_type = CONTENT_TYPE
    return answer


def _problem(error: Exception, answer: Response) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return {
            **problem(answer.status_code, "Some of what was sent cannot be accepted."),
            "errors": _flat(error.detail),
        }
    if isinstance(error, Http404):
        detail = str(error) or "There is nothing here."
    elif isinstance(error, PermissionDenied):
        detail = str(error) or "This is not allowed."
    else:
        detail = str(getattr(error, "detail", "") or error)
    return problem(answer.status_code, detail)


def problem(code: int, detail: str) -> dict[str, Any]:
    """The members every problem has."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(code).phrase,
        "status": code,
        "detail": detail,
    }


def refuse(code: int, detail: str) -> HttpResponse:
    """The same outside DRF, for middleware."""
    answer = JsonResponse(problem(code, detail), status=code, content_type=CONTENT_TYPE)
    answer["Cache-Control"] = "no-store"  # a 404 would be kept: the address may be there tomorrow
    return answer


def _flat(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Nested errors as a list of {field, message}; an empty field means the request as a whole."""
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            found += _flat(inner, here)
        return found
    if isinstance(detail, list):
        if any(isinstance(one, dict | list) for one in detail):
            return [
                item
                for k, inner in enumerate(detail)
                for item in _flat(inner, f"{path}[{k}]" if inner else path)
            ]
        return [{"field": path, "message": str(one)} for one in detail]
    return [{"field": path, "message": str(detail)}]
