"""Change what a workspace is set to: a new version of what was read."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tenants import operations as tenant_operations
from tenants.models import Tenant, User
from trading.core.config.profiles import PROFILES
from trading.marketdata.timeframes import COMMON
from trading.models import SettingsVersion
from trading.operations.opening import LEAST_CASH, MOST_CASH
from trading.queries.settings import InForce, Settings, get_in_force

LONGEST_NAME = 80


class InvalidSetting(ValueError):
    """A setting that cannot be; names it, the value and what is accepted."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field, self.words = field, words


class SettingsMoved(Exception):
    """Other settings are in force than those the change is based on."""


def change_settings(
    *, tenant_id: uuid.UUID, based_on: int, values: Mapping[str, Any], actor: User, now: datetime
) -> InForce:
    """Make a version in which these settings differ; where none does, the one in force stays.

    Raises:
        SettingsMoved: ``based_on`` is not in force any more. InvalidSetting: one cannot be.
    """
    tenant = Tenant.objects.select_for_update(no_key=True).get(id=tenant_id)
    before = get_in_force()
    if before.version != based_on:
        raise SettingsMoved(f"version {before.version} is in force, not {based_on}; read it again")
    after = replace(before.settings, **values)
    _check(after)
    if after == before.settings:
        return before
    changed = InForce(before.version + 1, after)
    SettingsVersion.objects.create(
        tenant=tenant, number=changed.version, values=after.to_json(), author=actor, created_at=now
    )
    if tenant.name != after.name:
        tenant.name = after.name
        tenant.save(update_fields=["name"])
    old, new = before.settings.to_json(), after.to_json()
    tenant_operations.write_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="settings.change",
        subject=f"settings {changed.version}",
        before={name: old[name] for name in old if old[name] != new[name]},
        after={name: new[name] for name in new if old[name] != new[name]},
        now=now,
    )
    return changed


def _check(settings: Settings) -> None:
    if not 1 <= len(settings.name) <= LONGEST_NAME or not settings.name.isprintable():
        raise InvalidSetting(
            "name", f"{settings.name!r}, accepted is 1 to {LONGEST_NAME} characters"
        )
    if settings.bot_profile not in PROFILES:
        raise InvalidSetting(
            "bot_profile", f"{settings.bot_profile!r}, accepted is {', '.join(PROFILES)}"
        )
    if settings.bot_timeframe not in COMMON:
        raise InvalidSetting(
            "bot_timeframe", f"{settings.bot_timeframe!r}, accepted is {', '.join(COMMON)}"
        )
    if not LEAST_CASH <= settings.paper_cash <= MOST_CASH:
        raise InvalidSetting(
            "paper_cash", f"{settings.paper_cash}, accepted is {LEAST_CASH} to {MOST_CASH}"
        )
