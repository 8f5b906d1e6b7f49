"""Signed webhooks: HMAC-SHA256 over ``timestamp.body``, to public hosts over TLS, no redirects."""

import hashlib
import hmac
import json
import time

from tenants import operations
from tenants.models import WebhookEndpoint
from tenants.notifications.channels.protocol import Message, Send, SendFailed
from tenants.notifications.outbox import HOOK

GONE = 410


class Webhook:
    """The workspace's own endpoints."""

    def reach(self, recipient: str) -> Send:
        """An endpoint that was neither removed nor disabled meanwhile."""
        found = WebhookEndpoint.objects.select_related("data_key").filter(
            id=recipient.removeprefix(HOOK), removed_at=None
        )
        row = found.first()
        if row is None:
            raise SendFailed("the endpoint was removed", is_final=True)
        if row.disabled_at is not None:
            raise SendFailed("the endpoint is disabled", is_final=True)
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
    from tenants.notifications.channels.posting import post  # its client is few processes' need

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
    status = post(url, body, headers)
    if not 200 <= status < 300:
        hint = "; redirects are not followed" if 300 <= status < 400 else ""
        raise SendFailed(f"answered {status}{hint}", is_final=status == GONE)
