"""Pages and WebSockets, where the program fits the database's tables."""

from novapulse.asgi import application as application
from novapulse.bodies import bound_bodies
from novapulse.pooling import pool_connections
from tenants.schema import insist_on_schema

insist_on_schema()
pool_connections()
bound_bodies()
