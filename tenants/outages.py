"""A database that refuses its work: which errors say so, and the sentence a person can act on."""

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError

DATABASE_ERRORS = (DatabaseError, InterfaceError, psycopg.Error)
READ_ONLY, DISK_FULL, DISK_FAILS, TOO_MANY = "25006", "53100", "58030", "53300"
ANSWERS_OF_A_FULL_SERVER = ("too many clients", "remaining connection slots")  # without a code
UNREACHABLE = ""
SENTENCES = {
    DISK_FULL: ("The database's disk is full", "Free some space there, then do the same again."),
    DISK_FAILS: ("The database's disk fails", "Look at PostgreSQL's log and at that disk first."),
    TOO_MANY: (
        "PostgreSQL takes no more connections",
        "Raise its max_connections, or end some of the programs that use it.",
    ),
    READ_ONLY: (
        "The database takes no writes",
        "Point DATABASE_URL at the primary; one that was made read-only because its disk is full "
        "needs space first.",
    ),
    UNREACHABLE: (
        "The database cannot be reached or used",
        "Start it with ./SuperStart.sh or set DATABASE_URL.",
    ),
}


def is_outage(error: BaseException) -> bool:
    """Whether the database's own state is to blame, so that the same may succeed later."""
    theirs = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
    return isinstance(error, theirs) or _code(error) == READ_ONLY


def describe(error: BaseException) -> str:
    """What is the matter, in the server's own words too, and what helps."""
    said = str(error).strip().splitlines()
    what, helps = SENTENCES.get(_code(error), SENTENCES[UNREACHABLE])
    return f"{what} ({said[0] if said else 'no detail'}). {helps}"


def _code(error: BaseException) -> str:
    """PostgreSQL's name of the condition; Django keeps it behind its own error."""
    told = error if isinstance(error, psycopg.Error) else error.__cause__
    if any(words in str(error) for words in ANSWERS_OF_A_FULL_SERVER):
        return TOO_MANY
    return (told.sqlstate or "") if isinstance(told, psycopg.Error) else ""
