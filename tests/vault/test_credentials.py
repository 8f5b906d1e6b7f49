"""Keys of accounts: sealed into rows, opened for engines, versioned, apart between workspaces."""

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from pydantic import SecretStr

from tenants import operations
from tenants.models import AuditEntry, DataKey, ExchangeAccount, ExchangeCredential
from tenants.scoping import tenant_scope
from tenants.vault import keyring
from tests.factories import NOW
from tests.vault.conftest import KEY, OTHER_KEY, OTHER_SECRET, SECRET, Kept, make_account
from trading.wiring.keys import NoKey, OpenedKey, open_account_key, open_usable_key

NEW_KEK = base64.b64encode(b"\x07" * 32).decode()


def opened(kept: Kept) -> OpenedKey:
    with tenant_scope(kept.tenant_id):
        return open_account_key(kept.account_id)


def test_a_sealed_key_opens_for_an_engine(sealed: Kept) -> None:
    found = opened(sealed)

    assert (found.key.key, found.key.secret, found.version) == (KEY, SECRET, 1)
    row = sealed.row()
    assert (row.last_four, row.state, row.check_asked_at) == ("KEYS", "UNCHECKED", NOW)


def test_a_rotation_is_a_new_version_and_waits_for_its_check(sealed: Kept) -> None:
    first = sealed.row()
    with tenant_scope(sealed.tenant_id):
        operations.note_check(
            credential_id=first.id, version=1, state="GOOD", detail="", rights=["a"], now=NOW
        )

    sealed.seal(OTHER_KEY, OTHER_SECRET)

    row = sealed.row()
    assert (row.id, row.version, row.state, row.rights) == (first.id, 2, "UNCHECKED", [])
    assert opened(sealed).key.secret == OTHER_SECRET
    with tenant_scope(sealed.tenant_id):  # a late answer about the former key
        assert not operations.note_check(
            credential_id=first.id, version=1, state="GOOD", detail="", rights=[], now=NOW
        )


def note(kept: Kept, state: str) -> None:
    row = kept.row()
    with tenant_scope(kept.tenant_id):
        operations.note_check(
            credential_id=row.id, version=row.version, state=state, detail="", rights=[], now=NOW
        )


def usable(kept: Kept) -> OpenedKey:
    with tenant_scope(kept.tenant_id):
        return open_usable_key(kept.account_id)


def test_an_engine_that_restarts_signs_with_the_last_good_key_until_the_new_one_is_good(
    sealed: Kept,
) -> None:
    note(sealed, "GOOD")
    for mistyped in (b"first", b"second"):
        sealed.seal(OTHER_KEY, base64.b64encode(mistyped).decode())
        assert (usable(sealed).key.secret, usable(sealed).version) == (SECRET, 1)
        note(sealed, "BAD")
    sealed.seal(OTHER_KEY, OTHER_SECRET)
    assert usable(sealed).key.secret == SECRET

    note(sealed, "GOOD")

    assert (usable(sealed).key.secret, usable(sealed).version) == (OTHER_SECRET, 4)
    assert bytes(sealed.row().former_sealed) == b""


def test_a_key_never_found_good_is_not_kept_behind_a_new_one(sealed: Kept) -> None:
    sealed.seal(OTHER_KEY, OTHER_SECRET)

    assert usable(sealed).key.secret == OTHER_SECRET
    assert bytes(sealed.row().former_sealed) == b""


def test_disabling_forgets_the_former_key_too(sealed: Kept) -> None:
    note(sealed, "GOOD")
    sealed.seal(OTHER_KEY, OTHER_SECRET)
    with tenant_scope(sealed.tenant_id):
        operations.disable_key(account_id=sealed.account_id, actor=None, now=NOW)

    row = sealed.row()
    assert (bytes(row.sealed), bytes(row.former_sealed)) == (b"", b"")
    with pytest.raises(NoKey, match="is disabled"):
        usable(sealed)


def test_the_row_of_another_workspace_cannot_be_opened_here(sealed: Kept, stranger: Kept) -> None:
    stranger.seal(OTHER_KEY, OTHER_SECRET)

    with tenant_scope(stranger.tenant_id), pytest.raises(NoKey, match="has no key"):
        open_account_key(sealed.account_id)
    theirs, ours = stranger.row(), sealed.row()
    with tenant_scope(stranger.tenant_id):
        ExchangeCredential.objects.filter(id=theirs.id).update(sealed=ours.sealed)
    with pytest.raises(NoKey, match="was changed or belongs elsewhere"):
        opened(stranger)


def test_every_workspace_has_a_data_key_of_its_own(sealed: Kept, stranger: Kept) -> None:
    stranger.seal(OTHER_KEY, OTHER_SECRET)

    assert bytes(sealed.row().data_key.wrapped) != bytes(stranger.row().data_key.wrapped)
    sealed.seal(OTHER_KEY, OTHER_SECRET)
    with tenant_scope(sealed.tenant_id):
        assert DataKey.objects.count() == 1


def test_two_first_keys_at_once_share_one_data_key(fresh_database) -> None:
    first = make_account("acme")
    with tenant_scope(first.tenant_id):
        other = ExchangeAccount.objects.create(
            tenant_id=first.tenant_id, venue="kraken", label="Second"
        )
    second, barrier = Kept(first.tenant_id, other.id), Barrier(2)

    def seal(kept: Kept, key: str) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            kept.seal(key)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(seal, first, KEY), threads.submit(seal, second, OTHER_KEY)]:
            done.result(30)

    assert opened(first).key.key == KEY
    assert opened(second).key.key == OTHER_KEY
    assert first.row().data_key_id == second.row().data_key_id


def test_a_disabled_key_is_gone(sealed: Kept) -> None:
    with tenant_scope(sealed.tenant_id):
        operations.disable_key(account_id=sealed.account_id, actor=None, now=NOW)
        with pytest.raises(operations.CredentialNotFound):
            operations.ask_check(account_id=sealed.account_id, actor=None, now=NOW)

    assert bytes(sealed.row().sealed) == b""
    with pytest.raises(NoKey, match="is disabled"):
        opened(sealed)
    sealed.seal()
    assert opened(sealed).version == 3


def test_one_key_serves_one_account(sealed: Kept) -> None:
    with tenant_scope(sealed.tenant_id):
        other = ExchangeAccount.objects.create(
            tenant_id=sealed.tenant_id, venue="simulator", label="Second"
        )
        with pytest.raises(operations.InvalidCredential, match="one key serves one account"):
            operations.seal_key(account_id=other.id, key=KEY, secret=SECRET, actor=None, now=NOW)


@pytest.mark.parametrize(
    ("key", "secret", "words"),
    [
        ("short", SECRET, "key: 8 to 600 printable ASCII characters, was 5"),
        (KEY, "", "secret: 1 to 600"),
        (KEY, "no base64 at all!", "secret: the private key of Kraken is base64 text"),
        ("k" * 601, SECRET, "was 601"),
        ("kéy-with-accent", SECRET, "printable ASCII"),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_being_repeated(
    stranger: Kept, key: str, secret: str, words: str
) -> None:
    with pytest.raises(operations.InvalidCredential, match=words) as refused:
        stranger.seal(key, secret)

    assert key not in str(refused.value)
    assert not secret or secret not in str(refused.value)


def test_a_venue_without_orders_takes_no_key(db) -> None:
    with pytest.raises(operations.InvalidCredential, match="Synthetic market takes no keys"):
        make_account("quiet", venue="synthetic").seal()


def test_rewrap_moves_every_workspace_to_the_newest_kek(
    sealed: Kept, stranger: Kept, settings
) -> None:
    stranger.seal(OTHER_KEY, OTHER_SECRET)
    old = settings.VAULT_KEK.get_secret_value()
    settings.VAULT_KEK = SecretStr(f"{old} {NEW_KEK}")

    assert operations.rewrap_data_keys(now=NOW) == 2
    assert operations.rewrap_data_keys(now=NOW) == 0

    settings.VAULT_KEK = SecretStr(NEW_KEK)
    assert opened(sealed).key.secret == SECRET
    assert opened(stranger).key.secret == OTHER_SECRET
    with tenant_scope(sealed.tenant_id):
        assert AuditEntry.objects.filter(action="data_key.rewrap").count() == 1


def test_without_the_old_kek_a_rewrap_changes_nothing_and_says_so(sealed: Kept, settings) -> None:
    before = bytes(sealed.row().data_key.wrapped)
    settings.VAULT_KEK = SecretStr(NEW_KEK)

    with pytest.raises(operations.VaultClosed, match="put it back from its backup"):
        operations.rewrap_data_keys(now=NOW)

    assert bytes(sealed.row().data_key.wrapped) == before


def test_without_a_kek_nothing_is_kept(stranger: Kept, settings, tmp_path) -> None:
    settings.VAULT_KEK, settings.VAULT_KEK_FILE = SecretStr(""), tmp_path / "absent"

    with pytest.raises(operations.VaultClosed, match="cannot be read"):
        stranger.seal()

    with tenant_scope(stranger.tenant_id):
        assert not ExchangeCredential.objects.exists()


def test_after_a_lost_kek_a_key_entered_again_opens(sealed: Kept, settings) -> None:
    settings.VAULT_KEK = SecretStr(NEW_KEK)
    with pytest.raises(NoKey, match="put it back"):
        opened(sealed)

    sealed.seal()

    assert opened(sealed).key.secret == SECRET
    assert sealed.row().data_key.number == 2
    assert sealed.row().data_key.kek_id == keyring.kek_id_of(b"\x07" * 32)


def test_the_secret_stands_nowhere_in_the_database(sealed: Kept) -> None:
    sealed.seal(OTHER_KEY, OTHER_SECRET)
    with connection.cursor() as cursor, tenant_scope(sealed.tenant_id):
        cursor.execute("SELECT array_agg(e::text) FROM tenants_exchangecredential e")
        (rows,) = cursor.fetchone()
        cursor.execute("SELECT array_agg(e::text) FROM tenants_auditentry e")
        (audit,) = cursor.fetchone()

    told = f"{rows} {audit}"
    assert {"KEYS", "SPIN"} <= set(re.findall("KEYS|SPIN", told))  # the last four do
    for planted in (KEY, SECRET, OTHER_KEY, OTHER_SECRET, base64.b64decode(SECRET).decode()):
        assert planted not in told
        assert planted.encode().hex() not in told
