"""The KEKs of an installation: made once, closed to others, several at a time, never guessed."""

import base64
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pydantic import SecretStr

from tenants.vault import keyring

ONE, TWO = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@pytest.fixture
def file(settings, tmp_path: Path) -> Path:
    settings.VAULT_KEK = SecretStr("")
    settings.VAULT_KEK_FILE = tmp_path / "deep" / "vault.keys"
    return settings.VAULT_KEK_FILE


def test_the_last_key_of_the_variable_is_the_newest(settings) -> None:
    settings.VAULT_KEK = SecretStr(f"{ONE}, {TWO}")

    ring = keyring.load()

    assert ring.newest_id == keyring.kek_id_of(b"\x02" * 32)
    assert ring.get(keyring.kek_id_of(b"\x01" * 32)) == b"\x01" * 32


def test_an_added_key_follows_the_former_ones_and_the_file_stays_closed(file: Path) -> None:
    first, second = keyring.add_kek(), keyring.add_kek()

    assert list(keyring.load().keks) == [first, second]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_open_to_others_is_refused(file: Path) -> None:
    keyring.add_kek()
    file.chmod(0o640)

    with pytest.raises(keyring.NoKeyring, match="chmod 600"):
        keyring.load()


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"x" * 31).decode(), f"{ONE} ?"])
def test_what_is_no_key_is_refused_without_being_told(settings, text: str) -> None:
    settings.VAULT_KEK = SecretStr(text or " , ")

    with pytest.raises(keyring.NoKeyring, match="NOVA_VAULT_KEK") as refused:
        keyring.load()

    assert not text or text not in str(refused.value)


def test_the_variable_is_never_added_to_by_us(settings) -> None:
    settings.VAULT_KEK = SecretStr(ONE)

    with pytest.raises(keyring.NoKeyring, match="append the new key to it yourself"):
        keyring.add_kek()


def test_the_first_run_makes_one_and_the_second_keeps_it(db, file: Path) -> None:
    call_command("prepare_vault", stdout=StringIO())
    before = file.read_bytes()

    call_command("prepare_vault", stdout=StringIO())

    assert file.read_bytes() == before
    assert len(keyring.load().keks) == 1


def test_a_lost_kek_is_told_and_never_replaced_without_being_asked(sealed, file: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot be read.*; it held [0-9a-f]{16}$") as refused:
        call_command("prepare_vault", stdout=StringIO())
    assert refused.value.returncode == 4
    assert not file.exists()

    call_command("prepare_vault", lost=True, stdout=StringIO())
    with pytest.raises(CommandError, match="put it back from its backup"):
        call_command("prepare_vault", stdout=StringIO())
