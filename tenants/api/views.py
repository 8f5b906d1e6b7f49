"""The view and the serializer every endpoint is made of."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, NoReturn

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from tenants.api.authentication import BrowserAuthentication, KeyAuthentication, MayInWorkspace
from tenants.api.problems import TooLarge
from tenants.api.sentences import tell_in_full
from tenants.api.throttling import CallerThrottle
from tenants.models import User
from tenants.standing import Effect

MOST_BYTES = 1_000_000


class StrictJson(BaseParser):
    """An object of JSON, of bounded size, without numbers and letters that cannot be kept."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        text = stream.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise TooLarge(f"At most {MOST_BYTES:,} bytes are read.")
        try:
            told = json.loads(
                text.decode(), parse_constant=_refuse_constant, parse_float=_parse_float
            )
            json.dumps(told, ensure_ascii=False).encode()  # half a surrogate pair is no letter
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is no JSON: {error}") from None
        if not isinstance(told, dict):
            raise ParseError("The body must be a JSON object.")
        return told


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def problems_beside(media: str) -> type[JSONRenderer]:
    """Of an endpoint that answers a file: who accepts its type alone is told problems as JSON, too."""
    return type("Problems", (JSONRenderer,), {"media_type": media})


class ApiView(APIView):
    """An endpoint; ``needs`` says for every method what the caller must be allowed.

    ``needs_step_up`` names the methods for which a session must have shown its second factor;
    ``effects`` what a method does to the workspace's risk, where it is no plain change;
    ``shown_once`` what of an answer is kept nowhere, not even to answer the same request again.
    """

    needs: ClassVar[Mapping[str, str]] = {}
    needs_step_up: ClassVar[tuple[str, ...]] = ()
    effects: ClassVar[Mapping[str, Effect]] = {}
    shown_once: ClassVar[tuple[str, ...]] = ()
    authentication_classes: Any = (KeyAuthentication, BrowserAuthentication)
    permission_classes = (MayInWorkspace,)
    throttle_classes = (CallerThrottle,)
    parser_classes = (StrictJson,)
    http_method_names = ("get", "post", "patch", "put", "delete", "head")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        view.needs = cls.needs  # type: ignore[attr-defined]  # the guard tests read it
        view.needs_step_up = cls.needs_step_up  # type: ignore[attr-defined]  # they too
        view.effects = cls.effects  # type: ignore[attr-defined]  # they too
        return view

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whoever may ask is told what of the question nobody would read."""
        super().initial(request, *args, **kwargs)
        handler = getattr(self, str(request.method).lower(), None)  # None: answered 405
        takes = getattr(handler, "takes", None)  # None: it does not say, and reads nothing
        if takes is not None:
            _refuse_unread(request, takes)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer


@dataclass(frozen=True, slots=True)
class Takes:
    """What a method reads of a request: these parameters of the query, and a body or none."""

    query: frozenset[str]
    body: bool


def _refuse_unread(request: Request, takes: Takes) -> None:
    known = sorted(takes.query)
    unread = {name: _hint(name, known) for name in request.query_params if name not in known}
    if request.method not in SAFE_METHODS and not takes.body:
        unread |= {str(name): _hint(str(name), []) for name in request.data}  # also: is it JSON?
    if unread:
        raise serializers.ValidationError(unread)


def actor_of(request: Request) -> User:
    """The person who acts, or for whom the key acts."""
    user: Any = request.user
    return user


def may(request: Request, right: str) -> bool:
    """Whether the key's scope, or the person's role, reaches so far."""
    holder: Any = request.auth or request._request.tenant  # type: ignore[attr-defined]
    return bool(holder.allows(right))


def tenant_id_of(request: Request) -> Any:
    """The workspace whose scope is open around the request."""
    return request._request.tenant.id  # type: ignore[attr-defined]


class Strict(serializers.Serializer[Any]):
    """What a request may hold; an unknown field is refused with the nearest known one."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            writable = [name for name, field in self.fields.items() if not field.read_only]
            unknown = {name: _hint(str(name), writable) for name in data if name not in writable}
            if unknown:
                raise serializers.ValidationError(unknown)
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not isinstance(data, Mapping):
                raise
            told: Any = error.detail
            raise serializers.ValidationError(tell_in_full(self.fields, data, told)) from None


def _hint(name: str, known: list[str]) -> list[str]:
    near = get_close_matches(name, known, n=1)
    others = f"known are {', '.join(known)}." if known else "nothing is read here."
    meant = f"did you mean {near[0]!r}?" if near else others
    return [f"No such field; {meant}"]
