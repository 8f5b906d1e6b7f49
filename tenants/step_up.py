"""Step-up: what is dangerous needs the second factor, given a moment ago in this very session."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

STEP_UP_SECONDS = 300
View = Callable[..., HttpResponse]


def has_second_factor(user: Any) -> bool:
    """Whether the person has an app or a passkey to prove who they are."""
    types = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return bool(is_mfa_enabled(user, types=types))


def has_stepped_up(request: HttpRequest) -> bool:
    """Whether the person in front of this session gave their second factor a moment ago."""
    if not request.user.is_authenticated or not has_second_factor(request.user):
        return False
    given = [
        record["at"]
        for record in get_authentication_records(request, request.user)
        if record.get("method") == "mfa"
    ]
    return bool(given) and time.time() - max(given) < STEP_UP_SECONDS


def ask_step_up(request: HttpRequest, *, back: str = "") -> HttpResponse:
    """Send the person to give their second factor, and back; or to set one up first.

    Args:
        back: where to; the address that was asked for, if not told.
    """
    if not has_second_factor(request.user):
        messages.warning(
            request, "This needs a second factor: set up an app or a passkey, then come back."
        )
        return redirect("mfa_index")
    query = urlencode({REDIRECT_FIELD_NAME: back or request.path})
    return redirect(f"{reverse('mfa_reauthenticate')}?{query}")


def step_up_required(view: View) -> View:
    """Let in who gave their second factor a moment ago; others give it and come back to the form.

    What was sent meanwhile is not kept anywhere: it may hold a secret.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        may = has_stepped_up(request)
        return view(request, *args, **kwargs) if may else ask_step_up(request)

    guarded.needs_step_up = True  # type: ignore[attr-defined]  # the guard tests read it
    return guarded
