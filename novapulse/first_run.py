"""Brings the database to what the programs expect; every step may be repeated.

The decision core is compiled by the fleet when it starts, beside the pages and the worker.
"""

import sys
from io import StringIO

from novapulse import cli
from novapulse.terminal import complain, step

STEPS: tuple[tuple[str, str], ...] = (
    ("Database roles", "prepare_database"),
    ("Database tables", "migrate"),
    ("Vault of exchange keys", "prepare_vault"),
    ("Static files", "collectstatic"),
)
DEMO_STEPS: tuple[tuple[str, str], ...] = (("Demo tenant", "create_demo"),)


def main(arguments: list[str]) -> int:
    """``python -m novapulse.first_run [--static]``, run by the door between servers and programs.

    Static files that are no longer named stay for pages still open; ``--static`` clears them away.
    """
    cli.set_up_django()
    from django.conf import settings
    from django.core.management import call_command
    from django.core.management.base import CommandError

    from tenants import outages

    demo = () if settings.PRODUCTION else DEMO_STEPS
    for title, command in (*STEPS, *demo):
        said = StringIO()
        options = {"interactive": False} if command in ("migrate", "collectstatic") else {}
        if command == "collectstatic" and "--static" in arguments:
            options["clear"] = True
        try:
            with step(title):
                call_command(command, stdout=said, **options)
        except CommandError as error:
            complain(f"{command}: {error}")
            return 1
        except outages.DATABASE_ERRORS as error:
            known = outages.is_outage(error)
            complain(f"{command}: {outages.describe(error) if known else error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
