"""``Idempotency-Key``: the same request twice is done once and answered the same."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.problems import OtherRequest
from tenants.api.throttling import caller_of
from tenants.models import StoredAnswer

HEADER = "Idempotency-Key"
LONGEST = 120
KEPT_HEADERS = ("ETag", "Location")
Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """Of a method that changes something: with the header, the first success is stored and repeated.

    Request and answer are one transaction: nothing is done without being stored, and the second of
    two at the same time waits for the first. A refused request stored nothing and may be mended.
    What the view names in ``shown_once`` is stored nowhere: a repeated answer has null there.
    """

    @wraps(handler)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not 1 <= len(key) <= LONGEST or not key.isprintable():
            raise ValidationError(
                {HEADER: f"1 to {LONGEST} printable characters, was {key!r:.80}."}
            )
        return _once(
            key, request, lambda: handler(view, request, *args, **kwargs), hidden=view.shown_once
        )

    guarded.is_idempotent = True  # type: ignore[attr-defined]  # the guard tests read it
    return guarded


def _once(
    key: str, request: Request, act: Callable[[], Response], *, hidden: Sequence[str]
) -> Response:
    tenant_id, actor = request._request.tenant.id, caller_of(request)  # type: ignore[attr-defined]
    fingerprint = _fingerprint(request)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 9))", [f"{tenant_id}|{actor}|{key}"]
        )
    stored = StoredAnswer.objects.filter(actor=actor, key=key).first()
    if stored is not None:
        if stored.fingerprint != fingerprint:
            raise OtherRequest
        headers = {**stored.headers, "Idempotent-Replayed": "true"}
        return Response(stored.body, status=stored.status, headers=headers)
    answer = act()
    if answer.status_code < 300:
        StoredAnswer.objects.create(
            tenant_id=tenant_id,
            actor=actor,
            key=key,
            fingerprint=fingerprint,
            status=answer.status_code,
            body={**answer.data, **dict.fromkeys(hidden)} if hidden else answer.data,
            headers={name: answer[name] for name in KEPT_HEADERS if name in answer},
            created_at=timezone.now(),
        )
    return answer


def _fingerprint(request: Request) -> str:
    asked = [request.method, request.get_full_path(), request.data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
