"""System checks for what production must have."""

from typing import Any

from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.security, deploy=True)
def check_mail(app_configs: Any, **_: Any) -> list[Warning]:
    """People confirm their address by a code: without a mail server nobody can sign up."""
    if not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return []
    return [
        Warning(
            "NOVA_EMAIL_URL is not set: confirmation codes would be written to files.",
            hint="Set it to smtp://user:password@host:port.",
            id="tenants.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_roles(app_configs: Any, **_: Any) -> list[Warning]:
    """The app role must not be the one that owns the tables: an owner may switch policies off."""
    users = {alias: settings.DATABASES[alias]["USER"] for alias in ("default", "staff", "owner")}
    if len(set(users.values())) == len(users):
        return []
    return [
        Warning(
            f"The database roles are not three different ones: {users}.",
            hint="Leave NOVA_DATABASE_APP_URL and NOVA_DATABASE_STAFF_URL empty, or give own roles.",
            id="tenants.W002",
        )
    ]
