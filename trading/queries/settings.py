"""What the workspace is set to, and what it was set to before."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from tenants.models import Tenant
from tenants.scoping import current_tenant_id
from trading.models import SettingsVersion


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of a workspace."""

    name: str
    bot_profile: str = "balanced"
    bot_timeframe: str = "1m"
    paper_cash: Decimal = Decimal(10_000)

    def to_json(self) -> dict[str, str]:
        """As a version stores them."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings in force; version 0 are those a workspace begins with."""

    version: int
    settings: Settings


def get_in_force() -> InForce:
    """Of the workspace in scope."""
    tenant_id: Any = current_tenant_id()
    name = Tenant.objects.values_list("name", flat=True).get(id=tenant_id)
    newest = SettingsVersion.objects.order_by("-number", "-id").first()
    if newest is None:
        return InForce(0, Settings(name))
    return InForce(newest.number, replace(_read(newest.values), name=name))


def current_settings() -> Settings:
    """Of the workspace in scope."""
    return get_in_force().settings


def list_versions(*, most: int) -> list[SettingsVersion]:
    """The newest versions, newest first, with their authors."""
    found = SettingsVersion.objects.select_related("author").order_by("-number", "-id")
    return list(found[:most])


def _read(stored: Mapping[str, Any]) -> Settings:
    return Settings(**{**stored, "paper_cash": Decimal(stored["paper_cash"])})
