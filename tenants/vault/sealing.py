"""Locks exchange keys; cannot open one."""

from dataclasses import replace
from uuid import UUID

import msgspec

from tenants.vault.envelope import Tampered, lock, new_key, unlock
from tenants.vault.keyring import Keyring
from tenants.vault.parts import ExchangeKey, Place, WrappedKey


class UnusableDataKey(Exception):
    """A data key does not open with the KEK it names."""


def make_data_key(keyring: Keyring, *, tenant_id: UUID, data_key_id: UUID) -> WrappedKey:
    """A new data key of a tenant, wrapped with the newest KEK."""
    blank = WrappedKey(tenant_id, data_key_id, keyring.newest_id, b"")
    return _wrap(keyring, blank, new_key())


def rewrap(keyring: Keyring, data_key: WrappedKey) -> WrappedKey:
    """The same data key under the newest KEK.

    Raises:
        KekMissing, UnusableDataKey: it does not open.
    """
    plain = unwrap(keyring, data_key)
    return _wrap(keyring, replace(data_key, kek_id=keyring.newest_id), plain)


def seal(keyring: Keyring, data_key: WrappedKey, place: Place, key: ExchangeKey) -> bytes:
    """A venue's key, locked for one version of one row.

    Raises:
        KekMissing, UnusableDataKey: the data key does not open.
    """
    plaintext = msgspec.json.encode({"key": key.key, "secret": key.secret})
    return lock(unwrap(keyring, data_key), plaintext, context=place.context)


def unwrap(keyring: Keyring, data_key: WrappedKey) -> bytes:
    """The data key itself.

    Raises:
        KekMissing, UnusableDataKey: it does not open.
    """
    try:
        return unlock(keyring.get(data_key.kek_id), data_key.wrapped, context=data_key.context)
    except Tampered:
        raise UnusableDataKey(
            f"data key {data_key.data_key_id} does not open with the vault's key {data_key.kek_id}"
        ) from None


def _wrap(keyring: Keyring, data_key: WrappedKey, plain: bytes) -> WrappedKey:
    kek = keyring.get(data_key.kek_id)
    return replace(data_key, wrapped=lock(kek, plain, context=data_key.context))
