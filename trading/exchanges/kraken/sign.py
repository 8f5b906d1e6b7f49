"""Pure: signatures of private requests, and numbers that only grow."""

import base64
import binascii
import hashlib
import hmac
import time


class UnusableKey(ValueError):
    """A secret that cannot sign."""


def signature(path: str, *, nonce: int, body: bytes, secret: str) -> str:
    """``API-Sign``: HMAC-SHA512 over the path and the SHA-256 of nonce and body.

    Raises:
        UnusableKey: the secret is no base64 text.
    """
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise UnusableKey("the private key of Kraken is base64 text; this is not") from None
    digest = hashlib.sha256(str(nonce).encode() + body).digest()
    return base64.b64encode(hmac.digest(key, path.encode() + digest, "sha512")).decode()


UNKEPT_NS = 60_000_000_000  # what a life may have taken since its last was kept


class Nonces:
    """Wall-clock nanoseconds that never fall back, also when the clock does."""

    def __init__(self) -> None:
        self.last = 0

    def take(self) -> int:
        """One more than any before."""
        self.last = max(self.last + 1, time.time_ns())
        return self.last

    def follow(self, kept: int) -> None:
        """Go on behind another life's, of which this was the newest that was kept."""
        if time.time_ns() <= kept:
            self.last = max(self.last, kept + UNKEPT_NS)
