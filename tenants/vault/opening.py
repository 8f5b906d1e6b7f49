"""Opens exchange keys; an import contract lets engine processes alone in here."""

import msgspec

from tenants.vault.envelope import Tampered, unlock
from tenants.vault.keyring import KekMissing, Keyring
from tenants.vault.parts import ExchangeKey, Place, WrappedKey
from tenants.vault.sealing import UnusableDataKey, unwrap


class CannotOpen(Exception):
    """A sealed key does not open; the text says why, never what was in it."""


def open_key(keyring: Keyring, data_key: WrappedKey, place: Place, sealed: bytes) -> ExchangeKey:
    """The venue's key of this very place.

    Raises:
        CannotOpen: a KEK is missing, or anything is not what it was when the key was sealed.
    """
    try:
        plain_key = unwrap(keyring, data_key)
        told = msgspec.json.decode(unlock(plain_key, sealed, context=place.context))
    except (KekMissing, UnusableDataKey) as error:
        raise CannotOpen(str(error)) from None
    except Tampered:
        raise CannotOpen(
            f"the sealed key of credential {place.credential_id}, version {place.version}, was "
            "changed or belongs elsewhere; enter the key again"
        ) from None
    return ExchangeKey(key=told["key"], secret=told["secret"])
