"""Locks and opens the secrets of outgoing webhooks; an exchange key's seal does not open here."""

from uuid import UUID

from tenants.vault.envelope import Tampered, lock, unlock
from tenants.vault.keyring import Keyring
from tenants.vault.parts import WrappedKey
from tenants.vault.sealing import unwrap


class UnusableSecret(Exception):
    """A sealed secret was changed or belongs to another endpoint."""


def seal_secret(keyring: Keyring, data_key: WrappedKey, endpoint_id: UUID, secret: str) -> bytes:
    """The secret, locked for this endpoint alone.

    Raises:
        KekMissing, UnusableDataKey: the data key does not open.
    """
    context = _context(data_key, endpoint_id)
    return lock(unwrap(keyring, data_key), secret.encode(), context=context)


def open_secret(keyring: Keyring, data_key: WrappedKey, endpoint_id: UUID, sealed: bytes) -> str:
    """The secret of this very endpoint.

    Raises:
        KekMissing, UnusableDataKey: the data key does not open. UnusableSecret: the seal does not.
    """
    context = _context(data_key, endpoint_id)
    try:
        return unlock(unwrap(keyring, data_key), sealed, context=context).decode()
    except Tampered:
        raise UnusableSecret(f"the secret of webhook {endpoint_id} was changed") from None


def _context(data_key: WrappedKey, endpoint_id: UUID) -> bytes:
    return (
        f"novapulse webhook secret|{data_key.tenant_id}|{endpoint_id}|{data_key.data_key_id}"
    ).encode()
