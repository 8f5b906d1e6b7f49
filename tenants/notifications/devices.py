"""Sign-ins from browsers that were not seen before: the person is told at once."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from tenants import queries
from tenants.models import KnownDevice, User
from tenants.notifications.browsers import name_browser
from tenants.notifications.news import Audience, Kind, News, Severity
from tenants.notifications.outbox import tell
from tenants.scoping import tenant_scope

COOKIE = "np_device"
KEPT = timedelta(days=400)  # the longest browsers keep one
SALT = "tenants.device"


def note_sign_in(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Receives ``user_logged_in``. A person's first browser is no news."""
    mark = request.get_signed_cookie(COOKIE, default="", salt=SALT) or secrets.token_urlsafe(24)
    request.device_mark = mark  # type: ignore[attr-defined]  # the middleware puts it on the answer
    now, digest = timezone.now(), hashlib.sha256(mark.encode()).hexdigest()
    is_first = not KnownDevice.objects.filter(user=user).exists()
    is_new = KnownDevice.objects.get_or_create(
        user=user, digest=digest, defaults={"first_seen_at": now}
    )[1]
    workspace = queries.choose_workspace(user_id=user.pk, wanted=None)
    if not is_new or is_first or workspace is None:
        return
    browser = name_browser(request.headers.get("User-Agent", ""))
    address = request.META.get("REMOTE_ADDR", "")
    news = News(
        key=f"device:{user.pk}:{digest[:32]}",
        kind=Kind.SECURITY,
        severity=Severity.WARNING,
        title="Sign-in from a new browser",
        words=f"{browser}, from {address}. "
        "If this was not you, change your password now and remove unknown passkeys.",
        path="/accounts/password/change/",
        happened_at=now,
        audience=Audience.CONCERNED,
        concerned_id=user.pk,
    )
    with tenant_scope(workspace.id):
        tell([news], tenant_id=workspace.id, now=now)


def mark_device(request: HttpRequest, response: HttpResponse) -> None:
    """Let a browser that has just signed in carry its mark."""
    mark = getattr(request, "device_mark", None)  # set by a sign-in during this request alone
    if mark:
        response.set_signed_cookie(
            COOKIE,
            mark,
            salt=SALT,
            max_age=KEPT,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
