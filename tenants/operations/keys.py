"""API keys: issue, revoke, note their use."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from tenants.models import ApiKey, Tenant, User
from tenants.nudges import Nudge, nudge_on_commit
from tenants.operations.audit import write_audit
from tenants.roles import Scope

PREFIX = "np_"
HINT_LENGTH = 9  # of 46 characters: enough to tell keys apart, of no use to guess one
RANDOM_BYTES = 32
MOST_DAYS = 3650
MOST_KEYS = 100
NOTED_EVERY = timedelta(minutes=1)


class InvalidKey(ValueError):
    """A key that cannot be issued; the text names the field, the value and what is accepted."""


class KeyNotFound(Exception):
    """No such key in this workspace, or it is revoked already."""


def digest_of(secret: str) -> str:
    """What is kept of a key. A plain hash suffices for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_key(
    *,
    tenant_id: UUID,
    user: User,
    label: str,
    scope: str,
    days: int | None,
    now: datetime,
    no_later_than: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for a member; (row, the key itself, which is shown once and never kept).

    Args:
        no_later_than: when the key ends that asks for this one; without days, both end together.

    Raises:
        InvalidKey: the label is empty or too long, the scope unknown, the days out of range, or
            there are too many keys.
    """
    label = label.strip()
    _check(label, scope, days)
    expires_at = _end_of(days, now=now, no_later_than=no_later_than)
    if ApiKey.objects.filter(revoked_at=None).count() >= MOST_KEYS:
        raise InvalidKey(f"keys: at most {MOST_KEYS} in a workspace; revoke one that is not used")
    secret = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    key = ApiKey.objects.create(
        tenant_id=tenant_id,
        label=label,
        scope=scope,
        digest=digest_of(secret),
        hint=secret[:HINT_LENGTH],
        user=user,
        created_at=now,
        expires_at=expires_at,
    )
    _audit(key, "api_key.issue", actor=user, now=now)
    return key, secret


def _check(label: str, scope: str, days: int | None) -> None:
    if not 1 <= len(label) <= 60:
        raise InvalidKey(f"label: 1 to 60 characters, was {len(label)}")
    if scope not in tuple(Scope):
        raise InvalidKey(f"scope: {scope!r}, accepted is {', '.join(Scope)}")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise InvalidKey(f"days: 1 to {MOST_DAYS}, was {days}")


def _end_of(days: int | None, *, now: datetime, no_later_than: datetime | None) -> datetime | None:
    if days is None:
        return no_later_than
    end = now + timedelta(days=days)
    if no_later_than is not None and end > no_later_than:
        raise InvalidKey(f"days: {days}, the key that asks ends {no_later_than:%Y-%m-%d %H:%M} UTC")
    return end


def revoke_key(*, key_id: UUID, actor: User | None, now: datetime) -> None:
    """End a key for ever, at once.

    Raises:
        KeyNotFound: not in this workspace, or revoked before.
    """
    key = ApiKey.objects.filter(id=key_id, revoked_at=None).first()
    if key is None:
        raise KeyNotFound(f"no key {key_id} in this workspace that still opens")
    ApiKey.objects.filter(id=key_id).update(revoked_at=now)
    _audit(key, "api_key.revoke", actor=actor, now=now)
    nudge_on_commit(key.tenant_id, Nudge.ACCESS)


def note_key_use(*, key_id: UUID, now: datetime) -> None:
    """Remember when a key was used, to the minute."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    ApiKey.objects.filter(stale, id=key_id).update(last_used_at=now)


def _audit(key: ApiKey, action: str, *, actor: User | None, now: datetime) -> None:
    tenant: Tenant = key.tenant
    write_audit(
        tenant_id=tenant.id,
        actor=actor,
        action=action,
        subject=str(key),
        before={},
        after={"key": str(key.id), "scope": key.scope},
        now=now,
    )
