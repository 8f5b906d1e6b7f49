"""Whether what PostgreSQL commits outlives a crash of its machine, and is kept soon."""

from django.db import connection

SETTINGS = """
    SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
    ORDER BY name
"""
WAITING_SECONDS = 2
WAITS = """
    SELECT count(*), extract(epoch FROM max(clock_timestamp() - query_start))::float8
    FROM pg_stat_activity
    WHERE lower(wait_event) IN ('walsync', 'walwrite') AND datname = current_database()
          AND query_start < clock_timestamp() - %s * interval '1 second'
"""


def find_waiting() -> str:
    """One sentence while commits wait for the disk; empty where none has waited for long."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS, [WAITING_SECONDS])
        count, seconds = cursor.fetchone()
    if not count:
        return ""
    waited = "1 commit has waited" if count == 1 else f"{count} commits have waited up to"
    return f"{waited} {seconds:.0f} s for the database's disk; no order leaves before its commit"


def find_weakness() -> str:
    """One sentence naming what is off for our sessions; empty where every commit lasts."""
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        weak = [name for name, _ in cursor.fetchall()]
    if not weak:
        return ""
    return (
        f"PostgreSQL has {', '.join(weak)} off; accepted is on: a commit that is acted on must "
        "outlive a crash of the machine"
    )
