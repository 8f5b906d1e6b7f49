"""The account's key for an engine process: the one place where the vault is opened."""

from dataclasses import dataclass
from uuid import UUID

from tenants.models import DataKey, ExchangeCredential
from tenants.vault import keyring, opening
from tenants.vault.parts import ExchangeKey, Place, WrappedKey


class NoKey(Exception):
    """An account has no key that can be used; the text says why."""


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A key and which version of which row it was."""

    credential_id: UUID
    version: int
    key: ExchangeKey


def open_account_key(account_id: UUID) -> OpenedKey:
    """The newest key of an account; inside its tenant's scope.

    Raises:
        NoKey: there is none, it is disabled, or the vault does not open.
    """
    row = _row(account_id)
    return _open(row, row.data_key, row.version, bytes(row.sealed))


def open_usable_key(account_id: UUID) -> OpenedKey:
    """The newest key, or the last good one until the newest is known to be good.

    Raises:
        NoKey: there is none, it is disabled, or the vault does not open.
    """
    row = _row(account_id)
    if row.former_data_key is None or row.state == ExchangeCredential.State.GOOD:
        return _open(row, row.data_key, row.version, bytes(row.sealed))
    return _open(row, row.former_data_key, row.former_version, bytes(row.former_sealed))


def _row(account_id: UUID) -> ExchangeCredential:
    wanted = ExchangeCredential.objects.select_related("data_key", "former_data_key", "account")
    row: ExchangeCredential | None = wanted.filter(account_id=account_id).first()
    if row is None:
        raise NoKey("the account has no key; add one on the page Exchange accounts or by keys add")
    if row.state == ExchangeCredential.State.DISABLED:
        raise NoKey(f"the key of {row.account} is disabled; enter a new one")
    return row


def _open(row: ExchangeCredential, lock: DataKey, version: int, sealed: bytes) -> OpenedKey:
    wrapped = WrappedKey(lock.tenant_id, lock.id, lock.kek_id, bytes(lock.wrapped))
    place = Place(row.tenant_id, row.account_id, row.id, version, lock.id)
    try:
        key = opening.open_key(keyring.load(), wrapped, place, sealed)
    except (keyring.NoKeyring, opening.CannotOpen) as error:
        raise NoKey(str(error)) from None
    return OpenedKey(row.id, version, key)
