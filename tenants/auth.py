"""Who may do what in a view; how accounts behave in allauth."""

import time
from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

STEP_UP_SECONDS = 300
View = Callable[..., HttpResponse]


def permission_required(permission: str) -> Callable[[View], View]:
    """Let in members of the request's workspace whose role grants ``permission``.

    Nobody signed in: to the sign-in page. A member without the permission: 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            workspace = getattr(request, "tenant", None)
            if workspace is None or not workspace.allows(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        checked: View = login_required(guarded)
        checked.needs = permission  # type: ignore[attr-defined]  # the guard tests read it
        return checked

    return decorate


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


def ask_step_up(request: HttpRequest) -> HttpResponse:
    """Send the person to give their second factor, and back; or to set one up first."""
    if not has_second_factor(request.user):
        messages.warning(
            request, "This needs a second factor: set up an app or a passkey, then come back."
        )
        return redirect("mfa_index")
    back = urlencode({REDIRECT_FIELD_NAME: request.path})
    return redirect(f"{reverse('mfa_reauthenticate')}?{back}")


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


def is_mailbox_open(request: HttpRequest) -> bool:
    """Whether kept letters may be shown: outside production, and only to this machine itself.

    They hold sign-in codes. Behind a proxy everybody looks like this machine, so then to nobody.
    """
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    forwarded = "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
    return bool(settings.DEV_MAILBOX) and address.is_loopback and not forwarded


class AccountAdapter(DefaultAccountAdapter):
    """E-mail addresses in lower case, so that one person has one account."""

    def clean_email(self, email: str) -> str:
        """The address as it is stored."""
        return str(super().clean_email(email)).lower()
