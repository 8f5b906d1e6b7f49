"""Pages and WebSockets, where the program fits the database's tables."""

from novapulse.asgi import application as application
from novapulse.kept_postgres.pool import POOL
from tenants.schema import insist_on_schema

insist_on_schema()
POOL.open()
