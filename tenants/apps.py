"""App config of tenants: secures the tables after every migrate, hears of sign-ins."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class TenantsConfig(AppConfig):
    """The tenants app."""

    name = "tenants"

    def ready(self) -> None:
        """Run after the last app's migrations, whatever was migrated."""
        from allauth.account.signals import user_logged_in

        from tenants import checks  # noqa: F401 - registers them
        from tenants.notifications.devices import note_sign_in

        user_logged_in.connect(note_sign_in, dispatch_uid="tenants.note_sign_in")
        post_migrate.connect(_secure, dispatch_uid="tenants.secure_tables")


def _secure(*, sender: AppConfig, using: str, **_: Any) -> None:
    from tenants.security import secure_tables

    if using == "owner" and sender.name == "trading":
        secure_tables(connections["owner"])
