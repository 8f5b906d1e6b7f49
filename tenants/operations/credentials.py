"""Exchange keys: seal, rotate, disable, ask for a check, note its result."""

import base64
import binascii
import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from tenants.models import ExchangeAccount, ExchangeCredential, User
from tenants.operations.audit import write_audit
from tenants.operations.data_keys import seal_into
from tenants.vault.parts import ExchangeKey

LONGEST, SHORTEST_KEY = 600, 8
State = ExchangeCredential.State
NO_FORMER: dict[str, Any] = {"former_data_key": None, "former_version": 0, "former_sealed": b""}


class InvalidCredential(ValueError):
    """A key that cannot be kept; names field and what is accepted, never the value."""


class CredentialNotFound(Exception):
    """No such account in this workspace, or it has no key."""


def seal_key(
    *, account_id: uuid.UUID, key: str, secret: str, actor: User | None, now: datetime
) -> ExchangeCredential:
    """Keep the key of an account, in place of the one before; an engine takes it up by itself.

    Raises:
        CredentialNotFound: no such account in this workspace.
        InvalidCredential: the venue takes no keys, a field cannot be right, or another account
            has this key. VaultClosed: there is no KEK.
    """
    account = ExchangeAccount.objects.select_for_update().filter(id=account_id).first()
    if account is None:
        raise CredentialNotFound(f"no account {account_id} in this workspace")
    given = _checked(account, key=key, secret=secret)
    kept = ExchangeCredential.objects.filter(account=account).first()
    row = kept or ExchangeCredential(tenant_id=account.tenant_id, account=account, version=0)
    before = _told(kept) if kept else {}
    if kept is not None and kept.state == State.GOOD:
        _keep_former(row)
    row.version += 1
    row.data_key, row.sealed = seal_into(row, given, now=now)
    row.fingerprint = fingerprint_of(account.venue, given.key)
    row.last_four = given.key[-4:]
    row.sealed_at = row.check_asked_at = now
    row.state, row.detail, row.rights, row.checked_at = State.UNCHECKED, "", [], None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise InvalidCredential("key: another account has it; one key serves one account") from None
    _audit(row, "rotate" if kept else "add", before, actor=actor, now=now)
    return row


def disable_key(*, account_id: uuid.UUID, actor: User | None, now: datetime) -> ExchangeCredential:
    """Forget the key of an account; a new one may be kept later.

    Raises:
        CredentialNotFound: the account has no key, or it is disabled.
    """
    row = get_credential(account_id=account_id)
    if row.state == State.DISABLED:
        raise CredentialNotFound(f"the key of {row.account} is disabled already")
    before = _told(row)
    row.sealed, row.state, row.detail = b"", State.DISABLED, "disabled by a person"
    row.rights, row.check_asked_at, row.version = [], None, row.version + 1
    _forget_former(row)
    row.fingerprint = f"disabled {row.id}"  # the key may be kept for another account
    row.save()
    _audit(row, "disable", before, actor=actor, now=now)
    return row


def ask_check(*, account_id: uuid.UUID, actor: User | None, now: datetime) -> ExchangeCredential:
    """Have an engine's process ask the venue what the key may; the row tells when it is done.

    Raises:
        CredentialNotFound: the account has no key, or it is disabled.
    """
    row = get_credential(account_id=account_id)
    if row.state == State.DISABLED:
        raise CredentialNotFound(f"the key of {row.account} is disabled; enter a new one")
    row.check_asked_at = now
    row.save(update_fields=["check_asked_at"])
    _audit(row, "check_asked", {}, actor=actor, now=now)
    return row


def renew_check(*, credential_id: uuid.UUID, now: datetime) -> bool:
    """The daily round's own question; False when the key was disabled or asked about meanwhile."""
    idle = ExchangeCredential.objects.filter(id=credential_id, check_asked_at=None)
    return idle.exclude(state=State.DISABLED).update(check_asked_at=now) == 1


def note_check(
    *,
    credential_id: uuid.UUID,
    version: int,
    state: str,
    detail: str,
    rights: Sequence[str],
    now: datetime,
) -> bool:
    """Write what a venue said of one version of a key; False when another one is kept meanwhile."""
    row = ExchangeCredential.objects.filter(id=credential_id, version=version).first()
    if row is None:
        return False
    before = _told(row)
    told = {"state": state, "detail": detail[:300], "rights": list(rights)}
    won: int = ExchangeCredential.objects.filter(id=credential_id, version=version).update(
        **told, checked_at=now, check_asked_at=None, **(NO_FORMER if state == State.GOOD else {})
    )
    if won and (row.state, row.rights) != (state, list(rights)):
        row.refresh_from_db()
        _audit(row, "check", before, actor=None, now=now)
    return won == 1


def note_no_answer(*, credential_id: uuid.UUID, version: int, detail: str) -> None:
    """The venue did not say anything: what was known stays, and the next daily round asks again."""
    ExchangeCredential.objects.filter(id=credential_id, version=version).update(
        detail=detail[:300], check_asked_at=None
    )


def fingerprint_of(venue: str, key: str) -> str:
    """What tells two keys apart without telling the key."""
    return hashlib.sha256(f"{venue}|{key}".encode()).hexdigest()


def get_credential(*, account_id: uuid.UUID) -> ExchangeCredential:
    """The key of an account, locked for this transaction.

    Raises:
        CredentialNotFound: there is none in this workspace.
    """
    row = (
        ExchangeCredential.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(account_id=account_id)
        .first()
    )
    if row is None:
        raise CredentialNotFound(f"account {account_id} has no key in this workspace")
    return row


def _keep_former(row: ExchangeCredential) -> None:
    """A slip in a form must not leave an engine that restarts without a key for its exits."""
    row.former_data_key, row.former_version = row.data_key, row.version
    row.former_sealed = row.sealed


def _forget_former(row: ExchangeCredential) -> None:
    for name, value in NO_FORMER.items():
        setattr(row, name, value)


def _checked(account: ExchangeAccount, *, key: str, secret: str) -> ExchangeKey:
    if account.venue not in ExchangeAccount.WITH_KEYS:
        raise InvalidCredential(
            f"venue: {account.get_venue_display()} takes no keys, accepted are {', '.join(ExchangeAccount.WITH_KEYS)}"
        )
    key, secret = key.strip(), secret.strip()
    for name, value, least in (("key", key, SHORTEST_KEY), ("secret", secret, 1)):
        text = value.replace("\r", "").replace("\n", "") if name == "secret" else value
        if not least <= len(text) <= LONGEST or not text.isascii() or not text.isprintable():
            raise InvalidCredential(
                f"{name}: {least} to {LONGEST} printable ASCII characters, was {len(text)}"
            )
    _check_secret(account, secret)
    return ExchangeKey(key, secret)


def _check_secret(account: ExchangeAccount, secret: str) -> None:
    """Its form alone; whether it signs is for an engine's process to find."""
    takes_pem = account.venue in ExchangeAccount.CURVE_KEYS
    if takes_pem and secret.startswith("-----BEGIN ") and secret.endswith("-----"):
        return
    try:
        base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        form = "PEM or base64 text" if takes_pem else "base64 text"
        whose = "Coinbase" if takes_pem else "Kraken"
        raise InvalidCredential(
            f"secret: the private key of {whose} is {form}; this is not"
        ) from None


def _told(row: ExchangeCredential) -> dict[str, Any]:
    return {
        "ends": row.last_four,
        "version": row.version,
        "state": row.state,
        "rights": list(row.rights),
    }


def _audit(
    row: ExchangeCredential,
    act: str,
    before: dict[str, Any],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    write_audit(
        tenant_id=row.tenant_id,
        actor=actor,
        action=f"exchange_key.{act}",
        subject=str(row),
        before=before,
        after=_told(row),
        now=now,
    )
