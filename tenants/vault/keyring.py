"""The installation's key-encryption keys (KEKs), from the environment or a file; the last is newest."""

import base64
import binascii
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from tenants.vault.envelope import KEY_BYTES, new_key

ID_LENGTH = 16
VARIABLE = "NOVA_VAULT_KEK"


class NoKeyring(Exception):
    """There is no usable KEK; the text says where it should be."""


class KekMissing(Exception):
    """The keyring lacks the KEK a data key was wrapped with."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """KEKs by id; what they have locked opens, only the newest locks."""

    keks: dict[str, bytes] = field(repr=False)

    @property
    def newest_id(self) -> str:
        """The id of the KEK that locks."""
        return next(reversed(self.keks))

    def get(self, kek_id: str) -> bytes:
        """A KEK by its id.

        Raises:
            KekMissing: it is not on the ring.
        """
        if kek_id not in self.keks:
            raise KekMissing(
                f"the vault's key {kek_id} is not in {source()}; put it back from its backup"
            )
        return self.keks[kek_id]


def kek_id_of(kek: bytes) -> str:
    """The name of a KEK; tells nothing of it."""
    return hashlib.sha256(b"novapulse kek|" + kek).hexdigest()[:ID_LENGTH]


def source() -> str:
    """Where this installation's KEKs stand, in words."""
    return VARIABLE if settings.VAULT_KEK.get_secret_value() else str(settings.VAULT_KEK_FILE)


def is_file() -> bool:
    """Whether the KEKs stand in a file, which we may add to."""
    return not settings.VAULT_KEK.get_secret_value()


def load() -> Keyring:
    """Read the ring, each time anew: a KEK added to the file is known at once.

    Raises:
        NoKeyring: missing, readable by others, or not base64 of 32 bytes each.
    """
    if not is_file():
        return _parse(settings.VAULT_KEK.get_secret_value())
    path = Path(settings.VAULT_KEK_FILE)
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "not text"
        raise NoKeyring(
            f"the vault's key file {path} cannot be read ({words}); "
            "manage.py prepare_vault makes it, or put it back from its backup"
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise NoKeyring(f"the vault's key file {path} is open to other users; chmod 600 it")
    return _parse(text)


def _parse(text: str) -> Keyring:
    keks = {}
    for number, word in enumerate(text.replace(",", " ").split(), start=1):
        try:
            kek = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            kek = b""
        if len(kek) != KEY_BYTES:
            raise NoKeyring(f"{source()}: key {number} is not base64 of {KEY_BYTES} bytes")
        keks[kek_id_of(kek)] = kek
    if not keks:
        raise NoKeyring(f"{source()}: holds no key; accepted is base64 of {KEY_BYTES} bytes")
    return Keyring(keks)


def add_kek() -> str:
    """Make a KEK, append it to the file and to the disk; its id.

    Raises:
        NoKeyring: the KEKs stand in the environment, where only the operator can add one, or the
            file cannot be written.
    """
    if not is_file():
        raise NoKeyring(f"{VARIABLE} is set; append the new key to it yourself, after the old ones")
    path, kek = Path(settings.VAULT_KEK_FILE), new_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(base64.b64encode(kek) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise NoKeyring(f"{path}: cannot be written ({error.strerror})") from None
    return kek_id_of(kek)
