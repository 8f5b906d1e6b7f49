"""A member's own settings: read with the role's defaults, and saved."""

from dataclasses import asdict, replace
from datetime import time
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from tenants.models import Membership, NotificationSettings
from tenants.notifications.news import Kind, Severity
from tenants.notifications.wishes import Wishes, wishes_of


class InvalidWishes(ValueError):
    """Settings that cannot be kept; ``field`` is the one, the text says what is accepted."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def get_wishes(*, user_id: int) -> Wishes:
    """What this member of the workspace in scope is told."""
    kept = NotificationSettings.objects.filter(user_id=user_id).first()
    role = Membership.objects.values_list("role", flat=True).get(user_id=user_id)
    return wishes_of(kept, role)


def lock_wishes(*, user_id: int) -> Wishes:
    """The same, which nobody else changes in between until this transaction ends."""
    Membership.objects.select_for_update(of=("self",)).get(user_id=user_id)
    return get_wishes(user_id=user_id)


def change_wishes(*, tenant_id: UUID, user_id: int, changed: dict[str, Any]) -> Wishes:
    """Save these fields and keep the others.

    Raises:
        InvalidWishes: an unknown kind, severity or time zone, or quiet hours with one end.
    """
    wanted = replace(get_wishes(user_id=user_id), **changed)
    _check(wanted)
    values = asdict(wanted)
    for name in ("inbox_kinds", "email_kinds"):
        values[name] = sorted(values[name])
    NotificationSettings.objects.update_or_create(
        tenant_id=tenant_id, user_id=user_id, defaults=values
    )
    return wanted


def _check(wishes: Wishes) -> None:
    for name in ("inbox_kinds", "email_kinds"):
        unknown = getattr(wishes, name) - set(Kind.values)
        if unknown:
            accepted = ", ".join(Kind.values)
            raise InvalidWishes(name, f"{min(unknown)!r} is no kind; accepted are {accepted}")
    if wishes.least_severity not in Severity.values:
        words = f"{wishes.least_severity} is no severity; accepted are 10, 20 and 30"
        raise InvalidWishes("least_severity", words)
    if wishes.time_zone not in available_timezones():
        words = f"{wishes.time_zone!r} is no time zone; accepted are names such as Europe/Berlin"
        raise InvalidWishes("time_zone", words)
    _check_quiet(wishes.quiet_from, wishes.quiet_until)


def _check_quiet(begins: time | None, ends: time | None) -> None:
    if (begins is None) != (ends is None):
        raise InvalidWishes(
            "quiet_from", "quiet hours need both a beginning and an end, or neither"
        )
    if begins is not None and begins == ends:
        raise InvalidWishes("quiet_until", "quiet hours that end where they begin would never end")
