"""Pure: API keys of Coinbase in each form they come in, and the JWT that each request carries."""

import base64
import binascii
import json
import re
import secrets
import textwrap
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

HOST = "api.coinbase.com"  # in the claim, whatever address is called
API_PATH = "/api/v3/brokerage"
ISSUER = "cdp"
VALID_SECONDS = 120
SEED_BYTES, NUMBER_BYTES = 32, 32
PEM = re.compile(r"(-----BEGIN [A-Z ]+-----)(.*)(-----END [A-Z ]+-----)", re.DOTALL)
PEM_LINE = 64
FORMS = "an EC P-256 or Ed25519 private key as PEM text, or base64 text of an Ed25519 seed"

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


class UnusableKey(ValueError):
    """A secret that cannot sign; the text never quotes it."""


def read_private_key(secret: str) -> PrivateKey:
    """The key of a secret as Coinbase hands it out; PEM lines may be parted by a literal ``\\n`` or joined.

    Raises:
        UnusableKey: one clear sentence.
    """
    text = secret.strip().replace("\\n", "\n")
    key = _read_pem(_lines_of(text)) if text.startswith("-----") else _read_seed(text)
    if isinstance(key, EllipticCurvePrivateKey) and not isinstance(key.curve, SECP256R1):
        raise UnusableKey(f"the secret of Coinbase is on curve {key.curve.name}; it takes P-256")
    if not isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise UnusableKey(f"the secret of Coinbase is another kind of key; it takes {FORMS}")
    return key


def _lines_of(text: str) -> str:
    """PEM text in lines again, which a form of one line has joined."""
    found = PEM.fullmatch(text)
    if found is None:
        return text
    head, body, foot = found.groups()
    return "\n".join([head, *textwrap.wrap("".join(body.split()), PEM_LINE), foot, ""])


def _read_pem(text: str) -> Any:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnicodeError):
        raise UnusableKey(f"the secret of Coinbase cannot be read; it takes {FORMS}") from None


def _read_seed(text: str) -> Ed25519PrivateKey:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnusableKey(f"the secret of Coinbase is no key; it takes {FORMS}") from None
    if len(raw) not in (SEED_BYTES, 2 * SEED_BYTES):
        raise UnusableKey(
            f"the secret of Coinbase has {len(raw)} bytes; an Ed25519 key has 32, or 64 with its"
            " public half"
        )
    key = Ed25519PrivateKey.from_private_bytes(raw[:SEED_BYTES])
    if raw[SEED_BYTES:] not in (b"", key.public_key().public_bytes_raw()):
        raise UnusableKey("the secret of Coinbase is damaged: its two halves are of different keys")
    return key


class Signer:
    """Makes tokens in the name of one key; none is ever used twice."""

    def __init__(self, *, name: str, secret: str) -> None:
        """Read the key.

        Raises:
            UnusableKey: it is none.
        """
        self.name = name
        self._key = read_private_key(secret)

    def token(self, *, now_s: int, uri: str = "", until_s: int = 0) -> str:
        """A JWT for one request to ``uri``, or without one for one message of a WebSocket.

        It is valid until ``until_s``, or for as long as Coinbase allows.
        """
        is_ec = isinstance(self._key, EllipticCurvePrivateKey)
        header = {
            "alg": "ES256" if is_ec else "EdDSA",
            "typ": "JWT",
            "kid": self.name,
            "nonce": secrets.token_hex(16),
        }
        ends_s = until_s or now_s + VALID_SECONDS
        claims = {"sub": self.name, "iss": ISSUER, "nbf": now_s, "exp": ends_s}
        if uri:
            claims["uri"] = uri
        signed = f"{_encode(_compact(header))}.{_encode(_compact(claims))}"
        return f"{signed}.{_encode(self._sign(signed.encode()))}"

    def _sign(self, text: bytes) -> bytes:
        """Raw: Ed25519, or r and s of ECDSA side by side."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(text)
        r, s = decode_dss_signature(self._key.sign(text, ECDSA(SHA256())))
        return r.to_bytes(NUMBER_BYTES, "big") + s.to_bytes(NUMBER_BYTES, "big")


def uri_of(method: str, path: str) -> str:
    """The claim of a REST request: neither scheme nor query."""
    return f"{method} {HOST}{API_PATH}{path}"


def _compact(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
