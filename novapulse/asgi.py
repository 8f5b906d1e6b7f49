"""WebSockets, and pages too where one process serves both."""

import gc
import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from channels.sessions import CookieMiddleware
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "novapulse.settings")
pages = get_asgi_application()

from trading.stream.passes import is_program, is_this_site  # noqa: E402 - needs the app registry
from trading.urls import websocket_urlpatterns  # noqa: E402 - needs the app registry

refused: Any = WebsocketDenier.as_asgi()
# No query before the handshake is answered: the consumer judges session and key itself.
sockets = CookieMiddleware(URLRouter([*websocket_urlpatterns, re_path("", refused)]))
sockets_of_pages = AllowedHostsOriginValidator(sockets)


async def by_origin(scope: Any, receive: Any, send: Any) -> None:
    """Pages by their origin; a program has none to tell, but whoever tells one is held to it."""
    of_pages = sockets_of_pages if is_this_site(scope) else refused
    await (sockets if is_program(scope) else of_pages)(scope, receive, send)


application = ProtocolTypeRouter({"http": pages, "websocket": by_origin})

# What is loaded by now stays; walking it again in every full collection would hold up all sockets
# for a tenth of a second.
gc.collect()
gc.freeze()
