"""AES-256-GCM with a random nonce; the one importer of ``cryptography``."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = b"\x01"  # AES-256-GCM: format, nonce, ciphertext with its tag
KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16


class Tampered(Exception):
    """It was locked with another key, for another place, or changed since."""


def new_key() -> bytes:
    """A key nobody knows."""
    return AESGCM.generate_key(bit_length=KEY_BYTES * 8)


def lock(key: bytes, plaintext: bytes, *, context: bytes) -> bytes:
    """Encrypt; opens with the same key and context only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, context)


def unlock(key: bytes, locked: bytes, *, context: bytes) -> bytes:
    """What was locked.

    Raises:
        Tampered: key, context or bytes are not what they were.
    """
    head = len(FORMAT) + NONCE_BYTES
    if not locked.startswith(FORMAT) or len(locked) < head + TAG_BYTES:
        raise Tampered
    try:
        return AESGCM(key).decrypt(locked[len(FORMAT) : head], locked[head:], context)
    except InvalidTag:
        raise Tampered from None
