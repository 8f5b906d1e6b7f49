"""Data keys of tenants: make one at the first seal, seal with it, move all to the newest KEK."""

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction

from tenants.models import DataKey, ExchangeCredential, WebhookEndpoint
from tenants.operations.audit import write_audit
from tenants.scoping import staff_scope, tenant_scope
from tenants.vault import hooks, keyring, sealing
from tenants.vault.parts import ExchangeKey, Place, WrappedKey

FAILS = (keyring.NoKeyring, keyring.KekMissing, sealing.UnusableDataKey)


class VaultClosed(Exception):
    """The vault has no usable KEK; the text says where it should be."""


def seal_into(
    row: ExchangeCredential, given: ExchangeKey, *, now: datetime
) -> tuple[DataKey, bytes]:
    """The key sealed for this version of the row, and the data key it was sealed with.

    Raises:
        VaultClosed: there is no KEK, or it does not open the tenant's data key.
    """
    try:
        ring = keyring.load()
        data_key = _newest_data_key(ring, row.tenant_id, now=now)
        place = Place(row.tenant_id, row.account_id, row.id, row.version, data_key.id)
        return data_key, sealing.seal(ring, _wrapped(data_key), place, given)
    except FAILS as error:
        raise VaultClosed(str(error)) from None


def seal_hook_secret(
    *, tenant_id: uuid.UUID, endpoint_id: uuid.UUID, secret: str, now: datetime
) -> tuple[DataKey, bytes]:
    """A webhook's secret sealed for its endpoint, and the data key it was sealed with.

    Raises:
        VaultClosed: there is no KEK, or it does not open the tenant's data key.
    """
    try:
        ring = keyring.load()
        data_key = _newest_data_key(ring, tenant_id, now=now)
        return data_key, hooks.seal_secret(ring, _wrapped(data_key), endpoint_id, secret)
    except FAILS as error:
        raise VaultClosed(str(error)) from None


def open_hook_secret(row: WebhookEndpoint) -> str:
    """What an endpoint's signatures are made with.

    Raises:
        VaultClosed: a KEK is missing, or the seal does not open.
    """
    try:
        wrapped = _wrapped(row.data_key)
        return hooks.open_secret(keyring.load(), wrapped, row.id, bytes(row.sealed))
    except (*FAILS, hooks.UnusableSecret) as error:
        raise VaultClosed(str(error)) from None


def rewrap_data_keys(*, now: datetime) -> int:
    """Move every tenant's data keys to the newest KEK; how many were moved. Safe to repeat.

    Raises:
        VaultClosed: a KEK is missing or does not open what it wrapped.
    """
    try:
        ring = keyring.load()
        with staff_scope():
            old = DataKey.objects.exclude(kek_id=ring.newest_id).order_by("tenant_id", "number")
            found = list(old.values_list("tenant_id", "id"))
        for tenant_id, data_key_id in found:
            with tenant_scope(tenant_id):
                _rewrap(ring, data_key_id, now=now)
    except FAILS as error:
        raise VaultClosed(str(error)) from None
    return len(found)


def _rewrap(ring: keyring.Keyring, data_key_id: uuid.UUID, *, now: datetime) -> None:
    row = DataKey.objects.select_for_update().get(id=data_key_id)
    moved = sealing.rewrap(ring, _wrapped(row))
    before, row.kek_id, row.wrapped = row.kek_id, moved.kek_id, moved.wrapped
    row.save(update_fields=["kek_id", "wrapped"])
    write_audit(
        tenant_id=row.tenant_id,
        actor=None,
        action="data_key.rewrap",
        subject=str(row),
        before={"kek": before},
        after={"kek": row.kek_id},
        now=now,
    )


def _newest_data_key(ring: keyring.Keyring, tenant_id: uuid.UUID, *, now: datetime) -> DataKey:
    data_key = DataKey.objects.order_by("-number", "-id").first()
    if data_key is not None and data_key.kek_id in ring.keks:
        return data_key
    number = data_key.number + 1 if data_key else 1  # its KEK is lost: begin anew
    return _make_data_key(ring, tenant_id, number=number, now=now)


def _make_data_key(
    ring: keyring.Keyring, tenant_id: uuid.UUID, *, number: int, now: datetime
) -> DataKey:
    made = sealing.make_data_key(ring, tenant_id=tenant_id, data_key_id=uuid.uuid4())
    try:
        with transaction.atomic():
            return DataKey.objects.create(
                id=made.data_key_id,
                tenant_id=tenant_id,
                number=number,
                kek_id=made.kek_id,
                wrapped=made.wrapped,
                created_at=now,
            )
    except IntegrityError:  # somebody made it at the same time
        return DataKey.objects.get(number=number)


def _wrapped(row: DataKey) -> WrappedKey:
    return WrappedKey(row.tenant_id, row.id, row.kek_id, bytes(row.wrapped))
