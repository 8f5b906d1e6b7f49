"""What is answered where there is no page: refused, not there, unreadable, broken, or without a database."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults

from tenants.api.problems import refuse
from tenants.middleware import API

NOT_COVERED = (
    "Your role in this workspace does not cover this. An owner can change it on the team page."
)
RETRY_SECONDS = "5"
SERVER_AWAY = (
    "08",
    "53",
    "57P",
)  # a broken connection, too many of them, shutting down or starting


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page; to a button that awaits its answer in place, the sentence alone."""
    words = str(exception) or NOT_COVERED
    if request.headers.get("HX-Request"):
        return HttpResponse(words, status=403, content_type="text/plain; charset=utf-8")
    return render(request, "403.html", {"words": words}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for people, a problem for programs."""
    if _is_program(request):
        return refuse(404, "There is nothing at this address.")
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same for a request that is none, such as one for another host."""
    if _is_program(request):
        return refuse(400, "This request cannot be read.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """The same for what nobody expected; why stands in the log."""
    if _is_database_away(sys.exc_info()[1]):
        return _database_away(request)
    if _is_program(request):
        return refuse(500, "Something broke; the error is in the log, and nothing was half-saved.")
    return defaults.server_error(request)


def _is_program(request: HttpRequest) -> bool:
    """Whether an address of the API was asked for, its very beginning included."""
    return f"{request.path}/".startswith(API)


def _is_database_away(error: BaseException | None) -> bool:
    """No connection could be made, or the server ended the one there was."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)  # the server's own word, where it said one
    return state is None or state.startswith(SERVER_AWAY)


def _database_away(request: HttpRequest) -> HttpResponse:
    if _is_program(request):
        answer = refuse(503, "The database does not answer; nothing was half-saved. Try again.")
    else:
        is_read = request.method == "GET"  # only a look may be repeated unasked
        again = {"again_seconds": RETRY_SECONDS if is_read else ""}
        answer = HttpResponse(render_to_string("503.html", again), status=503)
    answer["Retry-After"] = RETRY_SECONDS
    return answer
