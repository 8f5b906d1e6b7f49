"""Signed webhooks: HMAC-SHA256 over ``timestamp.body``, to public hosts over TLS, no redirects."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from django.conf import settings

from tenants import operations
from tenants.models import WebhookEndpoint
from tenants.notifications.addresses import ForbiddenAddress, check_address, check_url
from tenants.notifications.channels.protocol import Message, Send, SendFailed
from tenants.notifications.outbox import HOOK

SECONDS = 5.0  # for name, connection, TLS, request and the head of the answer together
GONE = 410


class Webhook:
    """The workspace's own endpoints."""

    def reach(self, recipient: str) -> Send:
        """An endpoint that was not removed meanwhile."""
        found = WebhookEndpoint.objects.select_related("data_key").filter(
            id=recipient.removeprefix(HOOK), removed_at=None
        )
        row = found.first()
        if row is None:
            raise SendFailed("the endpoint was removed", is_final=True)
        try:
            secret = operations.open_hook_secret(row)
        except operations.VaultClosed as error:
            raise SendFailed(str(error)) from None
        url = row.url
        return lambda message: send_webhook(url, secret, message)


def sign(secret: str, *, timestamp: str, body: bytes) -> str:
    """The signature a receiver compares, in hex."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def send_webhook(url: str, secret: str, message: Message) -> None:
    """One POST; any answer of 2xx is a receipt, and its body is not read.

    Raises:
        SendFailed: no such answer came in time, or the address may not be called.
    """
    body = json.dumps(message.told()).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "NovaPulse",
        "X-NovaPulse-Delivery": f"{message.delivery}.{message.repeats}",
        "X-NovaPulse-Attempt": str(message.attempt),
        "X-NovaPulse-Timestamp": timestamp,
        "X-NovaPulse-Signature": sign(secret, timestamp=timestamp, body=body),
    }
    try:
        check_url(url, allow_loopback=settings.WEBHOOK_LOOPBACK)
        status = asyncio.run(_post(url, body, headers))
    except ForbiddenAddress as error:
        raise SendFailed(str(error), is_final=True) from None
    except TimeoutError:
        raise SendFailed(f"no answer within {SECONDS:g} seconds") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SendFailed(_words(error)) from None
    if not 200 <= status < 300:
        hint = "; redirects are not followed" if 300 <= status < 400 else ""
        raise SendFailed(f"answered {status}{hint}", is_final=status == GONE)


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
