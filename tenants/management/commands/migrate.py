"""migrate as the role that owns the tables; the app role owns nothing and could not."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

EXIT_CONFIGURATION = 4


class Command(DjangoMigrate):
    """Django's command with the owner's address as its default."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises:
        CommandError: a role is missing to which tables are granted.
        """
        check_roles()
        super().handle(*args, **options)


def check_roles() -> None:
    """Raises:
    CommandError: the server lacks the app's or the staff's role.
    """
    roles = [connections[alias].settings_dict["USER"] for alias in settings.DATABASE_ROLES_ARE_OURS]
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [roles])
        there = {name for (name,) in cursor.fetchall()}
    if missing := [role for role in roles if role not in there]:
        raise CommandError(
            f"migrate: the server has no role {' and no role '.join(map(repr, missing))}; "
            "`manage.py prepare_database` makes them and comes first",
            returncode=EXIT_CONFIGURATION,
        )
