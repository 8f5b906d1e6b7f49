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

    from novapulse.env import InvalidEnvironment
    from tenants import outages

    try:
        execute_from_command_line(argv)
    except InvalidEnvironment as error:
        print(f"configuration: {error}", file=sys.stderr)  # noqa: T201 - the command line's own voice
        return 4
    except outages.DATABASE_ERRORS as error:
        if not outages.is_outage(error):
            raise
        print(outages.describe(error), file=sys.stderr)  # noqa: T201
        return 4
    return 0
