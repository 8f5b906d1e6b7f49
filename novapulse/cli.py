"""What `manage.py` runs: Django's command line with one sentence for a database that is down."""

import os
import sys


def set_up_django() -> None:
    """Make models and settings usable in a process that is no management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "novapulse.settings")
    import django

    django.setup()


def main(argv: list[str]) -> int:
    """Run one management command and return its exit code.

    A database that cannot be reached or a configuration that does not hold is the operator's to
    mend, so it is told in one sentence and exit code 4 instead of a traceback.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "novapulse.settings")
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    from novapulse.env import InvalidEnvironment

    try:
        execute_from_command_line(argv)
    except InvalidEnvironment as error:
        print(f"configuration: {error}", file=sys.stderr)  # noqa: T201 - the command line's own voice
        return 4
    except OperationalError as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else "no detail"
        print(  # noqa: T201
            f"The database cannot be reached or used ({first_line}). "
            "Start it with ./SuperStart.sh or set DATABASE_URL.",
            file=sys.stderr,
        )
        return 4
    return 0
