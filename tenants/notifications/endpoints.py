"""Webhook endpoints of a workspace: added, given another secret, out of use and back, removed."""

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from tenants import operations
from tenants.models import DataKey, Delivery, User, WebhookEndpoint
from tenants.notifications.addresses import ForbiddenAddress, check_url
from tenants.notifications.news import Kind, Severity
from tenants.notifications.outbox import HOOK

MOST_ENDPOINTS = 5
PREFIX = "nphook_"
RANDOM_BYTES = 32


class InvalidEndpoint(ValueError):
    """An endpoint that cannot be kept; names the field, the value and what is accepted."""


class EndpointNotFound(Exception):
    """No such endpoint in this workspace."""


def add_endpoint(
    *,
    tenant_id: uuid.UUID,
    url: str,
    kinds: Sequence[str],
    least_severity: int,
    actor: User | None,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """(row, the secret that signs, which is shown once).

    Raises:
        InvalidEndpoint: the address may not be called, nothing would be told, or there are too many.
        VaultClosed: there is no KEK to seal the secret with.
    """
    _check(url, kinds, least_severity)
    endpoint_id = uuid.uuid4()
    secret, data_key, sealed = _new_secret(tenant_id, endpoint_id, now=now)
    row = WebhookEndpoint.objects.create(
        id=endpoint_id,
        tenant_id=tenant_id,
        url=url,
        data_key=data_key,
        sealed=sealed,
        kinds=sorted(kinds),
        least_severity=least_severity,
        created_at=now,
    )
    _audit(row, "webhook.add", actor=actor, now=now)
    return row, secret


def _check(url: str, kinds: Sequence[str], least_severity: int) -> None:
    try:
        check_url(url, allow_loopback=settings.WEBHOOK_LOOPBACK)
    except ForbiddenAddress as error:
        raise InvalidEndpoint(str(error)) from None
    unknown = set(kinds) - set(Kind.values)
    if unknown or not kinds:
        told = f"was {min(unknown)!r}" if unknown else "none was given"
        raise InvalidEndpoint(f"kinds: {told}, accepted are {', '.join(Kind.values)}")
    if least_severity not in Severity.values:
        raise InvalidEndpoint(f"least_severity: {least_severity}, accepted are 10, 20 and 30")
    if list_endpoints().count() >= MOST_ENDPOINTS:
        raise InvalidEndpoint(f"url: at most {MOST_ENDPOINTS} webhooks; remove one first")


def rotate_secret(
    *, endpoint_id: uuid.UUID, actor: User | None, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """(row, the secret that signs from now on, which is shown once); the former one signs nothing more.

    Raises:
        EndpointNotFound: not in this workspace, or removed.
        VaultClosed: there is no KEK to seal the secret with.
    """
    row = get_endpoint(endpoint_id)
    secret, row.data_key, row.sealed = _new_secret(row.tenant_id, row.id, now=now)
    row.save(update_fields=["data_key", "sealed"])
    _audit(row, "webhook.rotate", actor=actor, now=now)
    return row, secret


def disable_endpoint(
    *, endpoint_id: uuid.UUID, actor: User | None, now: datetime
) -> WebhookEndpoint:
    """Tell it nothing until it is enabled; what is on its way to it is given up.

    Raises:
        EndpointNotFound: not in this workspace, or removed.
    """
    row = get_endpoint(endpoint_id)
    in_use = WebhookEndpoint.objects.filter(id=endpoint_id, disabled_at=None)
    if in_use.update(disabled_at=now):
        row.disabled_at = now
        _audit(row, "webhook.disable", actor=actor, now=now)
    return row


def enable_endpoint(
    *, endpoint_id: uuid.UUID, actor: User | None, now: datetime
) -> WebhookEndpoint:
    """Tell it what happens from now on.

    Raises:
        EndpointNotFound: not in this workspace, or removed.
    """
    row = get_endpoint(endpoint_id)
    disabled = WebhookEndpoint.objects.filter(id=endpoint_id, disabled_at__isnull=False)
    if disabled.update(disabled_at=None):
        row.disabled_at = None
        _audit(row, "webhook.enable", actor=actor, now=now)
    return row


def remove_endpoint(
    *, endpoint_id: uuid.UUID, actor: User | None, now: datetime
) -> WebhookEndpoint:
    """Tell it nothing more; its secret is forgotten.

    Raises:
        EndpointNotFound: not in this workspace, or removed before.
    """
    row = get_endpoint(endpoint_id)
    row.removed_at, row.sealed = now, b""
    row.save(update_fields=["removed_at", "sealed"])
    _audit(row, "webhook.remove", actor=actor, now=now)
    return row


def get_endpoint(endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """One that was not removed.

    Raises:
        EndpointNotFound: not in this workspace, or removed.
    """
    row: WebhookEndpoint | None = list_endpoints().filter(id=endpoint_id).first()
    if row is None:
        raise EndpointNotFound(f"no webhook {endpoint_id} in this workspace")
    return row


def list_endpoints() -> Any:
    """Those that were not removed, oldest first."""
    return WebhookEndpoint.objects.filter(removed_at=None).order_by("created_at", "id")


def list_deliveries(endpoint_id: uuid.UUID) -> Any:
    """What was and is on its way to it, with the notices, what happened last first."""
    found = Delivery.objects.filter(recipient=f"{HOOK}{endpoint_id}").select_related("notice")
    return found.order_by("-notice__happened_at", "-id")


def last_delivery(row: WebhookEndpoint) -> Delivery | None:
    """The newest one that was tried: how the endpoint does."""
    tried = Delivery.objects.filter(recipient=f"{HOOK}{row.id}", attempts__gt=0)
    found: Delivery | None = tried.order_by("-due_at", "-id").first()
    return found


def _new_secret(
    tenant_id: uuid.UUID, endpoint_id: uuid.UUID, *, now: datetime
) -> tuple[str, DataKey, bytes]:
    secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    data_key, sealed = operations.seal_hook_secret(
        tenant_id=tenant_id, endpoint_id=endpoint_id, secret=secret, now=now
    )
    return secret, data_key, sealed


def _audit(row: WebhookEndpoint, action: str, *, actor: User | None, now: datetime) -> None:
    operations.write_audit(
        tenant_id=row.tenant_id,
        actor=actor,
        action=action,
        subject=str(urlsplit(row.url).hostname),  # an address may hold a secret of its receiver
        before={},
        after={"webhook": str(row.id), "kinds": row.kinds},
        now=now,
    )
