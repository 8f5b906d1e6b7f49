"""WebSockets, and pages too where one process serves both."""

import gc
import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "novapulse.settings")
pages = get_asgi_application()

from trading.urls import websocket_urlpatterns  # noqa: E402 - needs the app registry

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": AllowedHostsOriginValidator(
            # No query before the handshake is answered: the consumer judges the session itself.
            CookieMiddleware(URLRouter(websocket_urlpatterns))
        ),
    }
)

# What is loaded by now stays; walking it again in every full collection would hold up all sockets
# for a tenth of a second.
gc.collect()
gc.freeze()
