"""Keys and tokens of the simulated Coinbase: what a key's text may look like, and whom a token proves."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from trading.exchanges.simulator.coinbase_asked import read_object

HOST = "api.coinbase.com"
ISSUERS = ("cdp", "coinbase-cloud")
LONGEST_SECONDS, LEEWAY_SECONDS = 120, 30
RAW_BYTES = 64
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class InvalidKey(ValueError):
    """A secret that is no signing key; the text says what is accepted."""


class Unauthorized(Exception):
    """A token that proves nobody; the text stays in the venue's own log."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as the venue hands it out, once."""

    name: str
    secret: str


def make_key() -> NewKey:
    """A new EC P-256 key and its name."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return NewKey(f"organizations/{uuid4()}/apiKeys/{uuid4()}", pem.decode())


def read_public_key(secret: str) -> PublicKey:
    """The public half of a secret: PEM (EC P-256, Ed25519), or base64 of an Ed25519 seed.

    Raises:
        InvalidKey: it is neither.
    """
    text = secret.replace("\\n", "\n").strip()
    try:
        if text.startswith("-----BEGIN"):
            private = serialization.load_pem_private_key(text.encode(), None)
        else:
            seed = base64.b64decode(text, validate=True)
            private = ed25519.Ed25519PrivateKey.from_private_bytes(seed[:32])
    except (ValueError, TypeError, binascii.Error):
        raise InvalidKey(
            "secret: accepted is the PEM of an EC P-256 or Ed25519 key, or base64 of an Ed25519 seed"
        ) from None
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.public_key()
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name == "secp256r1":
        return private.public_key()
    raise InvalidKey("secret: accepted is a key of the kind EC P-256 or Ed25519")


def write_public_key(key: PublicKey) -> str:
    """Its PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def load_public_key(pem: str) -> PublicKey:
    """The key of a PEM that was written here."""
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, PublicKey)
    return key


def verify(
    token: str, keys: Mapping[str, PublicKey], *, uri: str, times_s: tuple[float, ...]
) -> str:
    """The name of the key that signed a token for this ``uri`` (none for sockets).

    ``times_s`` are the clocks it may be valid by: the market's, and the wall's where they differ.

    Raises:
        Unauthorized: it proves nobody, or was meant for something else.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise Unauthorized("the token does not have three parts")
    header, claims = _read(parts[0]), _read(parts[1])
    name = header.get("kid")
    key = keys.get(name) if isinstance(name, str) else None
    if key is None or claims.get("sub") != name:
        raise Unauthorized("kid and sub do not name one known key")
    _check_signature(key, str(header.get("alg")), f"{parts[0]}.{parts[1]}", _bytes(parts[2]))
    if claims.get("iss") not in ISSUERS:
        raise Unauthorized(f"iss is {claims.get('iss')!r}")
    if claims.get("uri", "") != uri:
        raise Unauthorized(f"uri is {claims.get('uri', '')!r}, the request is {uri!r}")
    _check_times(claims, times_s)
    return str(name)


def _check_signature(key: PublicKey, alg: str, signed: str, signature: bytes) -> None:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey) and alg == "EdDSA":
            key.verify(signature, signed.encode())
        elif isinstance(key, ec.EllipticCurvePublicKey) and alg == "ES256":
            if len(signature) != RAW_BYTES:
                raise Unauthorized(f"the signature has {len(signature)} bytes, not r and s of 32")
            r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
            key.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
        else:
            raise Unauthorized(f"alg {alg!r} is not that of the key")
    except InvalidSignature:
        raise Unauthorized("the signature is wrong") from None


def _check_times(claims: Mapping[str, Any], times_s: tuple[float, ...]) -> None:
    begin, end = claims.get("nbf"), claims.get("exp")
    if not isinstance(begin, int | float) or not isinstance(end, int | float):
        raise Unauthorized("nbf and exp are not numbers")
    if end - begin > LONGEST_SECONDS + LEEWAY_SECONDS:
        raise Unauthorized(f"the token would be valid for {end - begin} seconds")
    if not any(begin - LEEWAY_SECONDS <= now < end for now in times_s):
        raise Unauthorized(f"valid from {begin} until {end}, now is {times_s[0]:.0f}")


def _read(part: str) -> dict[str, Any]:
    told = read_object(_bytes(part))
    if told is None:
        raise Unauthorized("the token is not JSON")
    return told


def _bytes(part: str) -> bytes:
    """Base64url without padding, as tokens write it."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Unauthorized("the token is not base64url") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise Unauthorized("the token is padded, or written in another way than base64url's own")
    return raw
