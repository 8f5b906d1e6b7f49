"""Whether this program and the database's tables are of one version; none works on another's."""

import sys

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.migrations.loader import MigrationLoader

EXIT_WRONG_SCHEMA = 4


class WrongSchema(Exception):
    """One sentence: which migration is missing, and where."""


def check_schema() -> None:
    """Compare the migrations of this program with those the database has.

    Raises:
        WrongSchema: they are not the same. OperationalError: the database does not answer.
    """
    loader = MigrationLoader(connections[DEFAULT_DB_ALIAS])
    applied = set(loader.applied_migrations)
    replaced = {name for one in loader.disk_migrations.values() for name in one.replaces}
    if unknown := sorted(applied - loader.disk_migrations.keys() - replaced):
        raise WrongSchema(
            f"the database's tables are newer than this program: it does not know {_name(unknown)}; "
            "accepted is a program of their version: deploy that one"
        )
    if missing := sorted(loader.graph.nodes.keys() - applied):
        raise WrongSchema(
            f"the database's tables are older than this program: {_name(missing)} is not applied; "
            "run `manage.py migrate`, then start again"
        )


def _name(migrations: list[tuple[str, str]]) -> str:
    more = f" and {len(migrations) - 1} more" if len(migrations) > 1 else ""
    return f"migration {'.'.join(migrations[0])}{more}"


def insist_on_schema() -> None:
    """End this process with the sentence; a database that is down is waited for later, by who needs it."""
    try:
        check_schema()
    except WrongSchema as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_WRONG_SCHEMA)
    except OperationalError:
        return
    finally:
        connections.close_all()  # what forks afterwards inherits no session
