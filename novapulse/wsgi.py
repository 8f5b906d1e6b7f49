"""HTTP application for the web process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "novapulse.settings")
application = get_wsgi_application()

from novapulse.pooling import pool_connections  # noqa: E402 - beside the other
from tenants.schema import insist_on_schema  # noqa: E402 - needs the app registry

insist_on_schema()
pool_connections()
