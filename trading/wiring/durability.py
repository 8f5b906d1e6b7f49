"""Whether what PostgreSQL has committed outlives a crash of its machine."""

from django.db import connection

SETTINGS = """
    SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
    ORDER BY name
"""


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
