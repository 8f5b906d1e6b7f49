"""One request to a public host, over TLS, without redirects; loaded by who sends one."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

import aiohttp
from django.conf import settings

from tenants.notifications.addresses import ForbiddenAddress, check_address, check_url
from tenants.notifications.channels.protocol import SendFailed

SECONDS = 5.0  # for name, connection, TLS, request and the head of the answer together


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer, whose body is not read.

    Raises:
        SendFailed: no answer came in time, or the address may not be called.
    """
    try:
        check_url(url, allow_loopback=settings.WEBHOOK_LOOPBACK)
        return asyncio.run(_post(url, body, headers))
    except ForbiddenAddress as error:
        raise SendFailed(str(error), is_final=True) from None
    except TimeoutError:
        raise SendFailed(f"no answer within {SECONDS:g} seconds") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SendFailed(_words(error)) from None


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    guard = _Guard()
    connector = aiohttp.TCPConnector(
        socket_factory=guard.make_socket, force_close=True, use_dns_cache=False
    )
    try:
        return await _answer(connector, url, body, headers)
    except aiohttp.ClientConnectionError:
        if guard.refused is not None:
            raise guard.refused from None
        raise


async def _answer(
    connector: aiohttp.TCPConnector, url: str, body: bytes, headers: Mapping[str, str]
) -> int:
    async with (
        asyncio.timeout(SECONDS),
        aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        ) as session,
        session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status


class _Guard:
    """Judges the very address that is connected to next: a name cannot lead elsewhere afterwards."""

    def __init__(self) -> None:
        self.refused: ForbiddenAddress | None = None

    def make_socket(self, found: Any) -> socket.socket:
        """For one address the name led to.

        Raises:
            ForbiddenAddress: no connection is made there.
        """
        family, kind, protocol, _, address = found
        try:
            check_address(str(address[0]), allow_loopback=settings.WEBHOOK_LOOPBACK)
        except ForbiddenAddress as error:
            self.refused = error
            raise
        return socket.socket(family=family, type=kind, proto=protocol)


def _words(error: Exception) -> str:
    """Without what a server may have put into its answer."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "the host's name leads nowhere"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "its TLS certificate does not hold"
        case aiohttp.ClientConnectorError():
            return "no connection was made"
    return f"no answer that could be read ({type(error).__name__})"
