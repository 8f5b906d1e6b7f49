"""Programs by key, browsers by session and CSRF token; a wrong key never falls back to a session."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from tenants.standing import Effect
from tenants.step_up import has_stepped_up

KEY_HEADER = "X-API-Key"
NO_KEY = "No key can do this: a person does, in a browser, with a second factor."
STEP_UP = "Give your second factor first: open /accounts/2fa/reauthenticate/."
WWW_AUTHENTICATE = 'ApiKey realm="NovaPulse", header="X-API-Key"'


class KeyAuthentication(BaseAuthentication):
    """``X-API-Key``; ``TenantMiddleware`` has looked it up and opened the workspace."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if KEY_HEADER not in request.headers:
            return None
        holder = getattr(request._request, "key_holder", None)
        if holder is None:
            raise AuthenticationFailed("This key is unknown, revoked or expired.")
        return request._request.user, holder

    def authenticate_header(self, request: Request) -> str:
        return WWW_AUTHENTICATE


class BrowserAuthentication(SessionAuthentication):
    """The session of a signed-in person, with CSRF protection."""

    def authenticate_header(self, request: Request) -> str:
        return WWW_AUTHENTICATE


class MayInWorkspace(BasePermission):
    """What the view needs for the method, from the key's scope and the person's role."""

    message = "Your key or role does not reach so far."

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = "GET" if request.method == "HEAD" else request.method  # the same, without its body
        needs = view.needs.get(method)  # type: ignore[attr-defined]  # an ApiView
        if needs is None:
            return True  # no such method: answered 405 by the view
        if not request.user or not request.user.is_authenticated:
            return False
        may: Any = request.auth or getattr(request._request, "tenant", None)
        if may is None:
            self.message = "You have no workspace yet; open /welcome/ in a browser."
        if may is None or not may.allows(needs):
            return False
        return self._is_in_standing(request, view) and self._is_sure_enough(request, view)

    def _is_in_standing(self, request: Request, view: APIView) -> bool:
        """Whether the workspace may now do what this method does to its risk."""
        if request.method in SAFE_METHODS:
            return True
        effect = view.effects.get(request.method, Effect.CHANGE)  # type: ignore[attr-defined]
        refusal: str = request._request.tenant.refusal(effect)  # type: ignore[attr-defined]
        self.message = refusal or self.message
        return not refusal

    def _is_sure_enough(self, request: Request, view: APIView) -> bool:
        """A key that reaches so far was itself made with a second factor; a session shows it now."""
        asked = request.method in view.needs_step_up  # type: ignore[attr-defined]  # an ApiView
        if not asked or _is_sure(request):
            return True
        self.message = STEP_UP
        return False


def require_second_factor(request: Request) -> None:
    """For what a method does only at times.

    Raises:
        PermissionDenied: a session that has not shown it a moment ago.
    """
    if not _is_sure(request):
        raise PermissionDenied(STEP_UP)


def require_person(request: Request) -> None:
    """For what would outlive a key that leaked: its holder must not make an equal or a superior.

    Raises:
        PermissionDenied: a key, or a session that has not shown its second factor a moment ago.
    """
    if request.auth is not None:
        raise PermissionDenied(NO_KEY)
    require_second_factor(request)


def _is_sure(request: Request) -> bool:
    return request.auth is not None or has_stepped_up(request._request)


class KeyScheme(OpenApiAuthenticationExtension):
    """How the schema tells of ``KeyAuthentication``."""

    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": KEY_HEADER}


class SessionScheme(OpenApiAuthenticationExtension):
    """How the schema tells of ``BrowserAuthentication``."""

    target_class = BrowserAuthentication
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
