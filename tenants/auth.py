"""Who may do what in a view; how accounts behave in allauth."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from secrets import token_urlsafe
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from tenants import queries
from tenants.notifications.browsers import name_browser
from tenants.standing import Effect
from tenants.step_up import has_second_factor

View = Callable[..., HttpResponseBase]
LONGEST_WORD_TOLD = 40
READS = ("GET", "HEAD", "OPTIONS")
FIRST_FACTOR = "reauthenticate"  # allauth's name of giving the password
INVITATION_KEY = "invitation"  # in a session: the digest of the link that was opened in it


def permission_required(permission: str, effect: Effect = Effect.CHANGE) -> Callable[[View], View]:
    """Let in members of the request's workspace whose role grants ``permission``.

    Nobody signed in: to the sign-in page. A member without the permission, and an act whose
    ``effect`` the workspace may not have now: 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            workspace = getattr(request, "tenant", None)
            if workspace is None or not workspace.allows(permission):
                raise PermissionDenied
            if request.method not in READS:
                require_standing(request, effect)
            return view(request, *args, **kwargs)

        checked: View = login_required(guarded)
        checked.needs = permission  # type: ignore[attr-defined]  # the guard tests read it
        checked.effect = effect  # type: ignore[attr-defined]  # they too
        return checked

    return decorate


def require_standing(request: HttpRequest, effect: Effect) -> None:
    """Let a workspace do what has this effect.

    Raises:
        PermissionDenied: it lapsed or is suspended; one sentence says why and what lifts it.
    """
    workspace: Any = request.tenant  # type: ignore[attr-defined]
    refusal = workspace.refusal(effect)
    if refusal:
        raise PermissionDenied(refusal)


def refusal_of_word(request: HttpRequest, wanted: str) -> str:
    """Why an act whose question asks for a typed word is not done; empty when it was typed."""
    typed = request.POST.get("word", "").strip()
    if typed.casefold() == wanted:
        return ""
    found = f"“{typed[:LONGEST_WORD_TOLD]}” was" if typed else "nothing was"
    return f"Nothing was done: type “{wanted}” to go on; {found} typed."


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
    """Addresses in lower case, so that one person has one account; some are proven by a letter."""

    def clean_email(self, email: str) -> str:
        """The address as it is stored."""
        return str(super().clean_email(email)).lower()

    def send_account_already_exists_mail(self, email: str) -> None:
        """Who signs up again waits as long as somebody new: hashing a password is what takes time."""
        make_password(token_urlsafe())
        super().send_account_already_exists_mail(email)

    def get_http_user_agent(self, request: HttpRequest) -> str:
        """The browser's name, for letters that tell of a change."""
        return name_browser(super().get_http_user_agent(request))

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Who has a second factor gives it: by a password alone nobody takes it away or adds his own."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not user.is_authenticated or not has_second_factor(user):
            return methods
        return [one for one in methods if one["id"] != FIRST_FACTOR]

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Also who came by the link of an open invitation to this very address: its letter arrived."""
        digest = request.session.get(INVITATION_KEY, "")
        found = queries.find_invitation(digest=digest, now=timezone.now())
        return found is not None and found.email == email.lower()
