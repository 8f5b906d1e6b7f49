"""What is sealed opens with its own keys, in its own place, unchanged; else nothing comes out."""

import base64
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.vault.envelope import NONCE_BYTES, Tampered, lock, new_key, unlock
from tenants.vault.keyring import Keyring, kek_id_of
from tenants.vault.opening import CannotOpen, open_key
from tenants.vault.parts import ExchangeKey, Place
from tenants.vault.sealing import make_data_key, rewrap, seal

text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=90)
PLAIN = ExchangeKey("the key itself", "the secret itself")


def ring(*keks: bytes) -> Keyring:
    return Keyring({kek_id_of(kek): kek for kek in keks})


class Vault:
    """One tenant's data key and one sealed key."""

    def __init__(self, given: ExchangeKey = PLAIN) -> None:
        self.kek = new_key()
        self.ring = ring(self.kek)
        self.tenant_id = uuid4()
        self.data_key = make_data_key(self.ring, tenant_id=self.tenant_id, data_key_id=uuid4())
        self.place = Place(self.tenant_id, uuid4(), uuid4(), 1, self.data_key.data_key_id)
        self.sealed = seal(self.ring, self.data_key, self.place, given)

    def open(self) -> ExchangeKey:
        return open_key(self.ring, self.data_key, self.place, self.sealed)


@given(key=text, secret=text)
def test_what_was_sealed_opens_again_and_does_not_stand_in_the_seal(key: str, secret: str) -> None:
    given_key = ExchangeKey(key, secret)
    vault = Vault(given_key)

    assert vault.open() == given_key
    for word in (key, secret):
        assert len(word) < 4 or word.encode() not in vault.sealed


@given(
    field=st.sampled_from(["tenant_id", "account_id", "credential_id", "version", "data_key_id"]),
    other=st.uuids(),
    number=st.integers(2, 2**31 - 1),
)
def test_in_any_other_place_it_does_not_open(field: str, other: UUID, number: int) -> None:
    vault = Vault()
    vault.place = replace(vault.place, **{field: number if field == "version" else other})

    with pytest.raises(CannotOpen):
        vault.open()


@given(st.data())
def test_a_changed_bit_anywhere_refuses_and_tells_nothing(data) -> None:
    vault = Vault()
    which = data.draw(st.sampled_from(["sealed", "wrapped"]))
    whole = vault.sealed if which == "sealed" else vault.data_key.wrapped
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    if which == "sealed":
        vault.sealed = bytes(changed)
    else:
        vault.data_key = replace(vault.data_key, wrapped=bytes(changed))

    with pytest.raises(CannotOpen) as refused:
        vault.open()

    assert "itself" not in str(refused.value)


@given(cut=st.integers(0, 40))
def test_a_piece_of_it_refuses(cut: int) -> None:
    vault = Vault()
    vault.sealed = vault.sealed[:cut]

    with pytest.raises(CannotOpen):
        vault.open()


def test_rows_swapped_between_two_accounts_do_not_open() -> None:
    mine = Vault()
    theirs = replace(mine.place, account_id=uuid4(), credential_id=uuid4())
    other = seal(mine.ring, mine.data_key, theirs, ExchangeKey("other key", "other secret"))

    for place, sealed in ((mine.place, other), (theirs, mine.sealed)):
        with pytest.raises(CannotOpen):
            open_key(mine.ring, mine.data_key, place, sealed)


def test_a_former_version_put_back_does_not_open_as_the_present_one() -> None:
    vault = Vault()

    with pytest.raises(CannotOpen, match="version 2"):
        open_key(vault.ring, vault.data_key, replace(vault.place, version=2), vault.sealed)


def test_another_tenants_data_key_does_not_open_even_under_the_same_kek() -> None:
    vault = Vault()
    stolen = replace(vault.data_key, tenant_id=uuid4())

    with pytest.raises(CannotOpen, match="does not open with the vault's key"):
        open_key(vault.ring, stolen, vault.place, vault.sealed)


def test_without_its_kek_nothing_opens_and_the_sentence_names_it() -> None:
    vault = Vault()
    vault.ring = ring(new_key())

    with pytest.raises(CannotOpen, match=f"the vault's key {vault.data_key.kek_id} is not in"):
        vault.open()


@given(older=st.integers(0, 3))
def test_after_a_rewrap_only_the_newest_kek_is_needed(older: int) -> None:
    vault = Vault()
    newest = new_key()
    before = vault.data_key.wrapped
    everything = ring(*(new_key() for _ in range(older)), vault.kek, newest)

    vault.data_key = rewrap(everything, vault.data_key)

    assert vault.data_key.wrapped != before
    assert open_key(ring(newest), vault.data_key, vault.place, vault.sealed) == PLAIN
    vault.ring = ring(vault.kek)
    with pytest.raises(CannotOpen):
        vault.open()


def test_no_nonce_comes_twice() -> None:
    key, count = new_key(), 100_000

    nonces = {lock(key, b"", context=b"")[1 : 1 + NONCE_BYTES] for _ in range(count)}

    assert len(nonces) == count


def test_a_lock_of_another_format_is_refused() -> None:
    key = new_key()
    locked = lock(key, b"plain", context=b"here")

    with pytest.raises(Tampered):
        unlock(key, b"\x02" + locked[1:], context=b"here")


def test_nothing_prints_a_secret() -> None:
    vault = Vault()
    shown = repr((PLAIN, vault.ring, vault.data_key, vault.place)) + str(PLAIN)

    assert "itself" not in shown
    assert base64.b64encode(vault.kek).decode() not in shown
    assert repr(vault.kek)[2:20] not in shown
