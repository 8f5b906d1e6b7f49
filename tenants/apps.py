"""App config of tenants: secures the tables after every migrate, hears of sign-ins and sign-outs."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class TenantsConfig(AppConfig):
    """The tenants app."""

    name = "tenants"

    def ready(self) -> None:
        """Run after the last app's migrations, whatever was migrated."""
        from allauth.account.signals import (
            password_changed,
            password_reset,
            password_set,
            user_logged_in,
        )
        from django.contrib.auth.signals import user_logged_out

        from tenants import checks  # noqa: F401 - registers them
        from tenants.notifications.devices import note_sign_in
        from tenants.operations.people import note_sessions_end

        user_logged_in.connect(note_sign_in, dispatch_uid="tenants.note_sign_in")
        for signal in (user_logged_out, password_changed, password_reset, password_set):
            signal.connect(note_sessions_end, dispatch_uid="tenants.note_sessions_end")
        post_migrate.connect(_secure, dispatch_uid="tenants.secure_tables")


def _secure(*, sender: AppConfig, using: str, **_: Any) -> None:
    from tenants.security import secure_tables

    if using == "owner" and sender.name == "trading":
        secure_tables(connections["owner"])
