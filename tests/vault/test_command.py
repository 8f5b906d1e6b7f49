"""``manage.py keys``: seals what it reads, asks a real socket what keys may, never takes argv."""

import io
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.utils import timezone
from pydantic import SecretStr

from tenants import operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests.factories import NOW, make_engine, make_instrument
from tests.simulator_place import tell_port
from tests.vault.conftest import KEY, OTHER_KEY, OTHER_SECRET, SECRET, Kept, make_account
from tests.vault.venue import open_venue
from trading.exchanges.simulator.accounts import RIGHTS, Account
from trading.management.commands.run_fleet import check_keys, has_due_checks
from trading.models import Engine, EngineCommand
from trading.tasks import ask_key_checks
from trading.wiring.keys import open_account_key

ACME = ("--tenant", "acme")


def run(*arguments: str, said: str = "") -> Any:
    """The command's answer; ``said`` comes on standard input."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(said))
        call_command("keys", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def account(db) -> Kept:
    return make_account("acme")


@pytest.fixture
def customer(settings, tmp_path) -> Iterator[Account]:
    with open_venue(key=KEY, secret=SECRET) as (simulator, customer):
        settings.DATA_DIR = tmp_path
        tell_port(tmp_path, simulator.port)
        yield customer


def live_engine(kept: Kept) -> None:
    """An engine of the account that stands still, in live mode."""
    with tenant_scope(kept.tenant_id):
        account = ExchangeAccount.objects.get(id=kept.account_id)
        Engine.objects.create(tenant_id=kept.tenant_id, account=account)
        ExchangeAccount.objects.update(mode="LIVE")


def ordered(kept: Kept) -> list[tuple[str, str]]:
    with tenant_scope(kept.tenant_id):
        found = EngineCommand.objects.order_by("requested_at", "id")
        return list(found.values_list("kind", "reason"))


def test_a_key_is_added_from_standard_input_listed_rotated_and_disabled(account: Kept) -> None:
    assert run("list", *ACME)[0]["state"] == "NONE"

    (added,) = run("add", *ACME, said=f"{KEY}\n{SECRET}\n")
    assert (added["ends"], added["version"], added["check_is_due"]) == (KEY[-4:], 1, True)
    (rotated,) = run("rotate", *ACME, said=f"{OTHER_KEY}\n{OTHER_SECRET}\n")
    assert (rotated["ends"], rotated["version"]) == (OTHER_KEY[-4:], 2)
    with tenant_scope(account.tenant_id):
        assert open_account_key(account.account_id).key.secret == OTHER_SECRET
    (disabled,) = run("disable", *ACME)

    assert disabled["state"] == run("list", *ACME)[0]["state"] == "DISABLED"
    assert run("add", *ACME, said=f"{KEY}\n{SECRET}\n")[0]["version"] == 4


def test_a_key_is_read_from_a_file_and_from_a_descriptor(account: Kept, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n{SECRET}\n")
    run("add", *ACME, "--key-file", str(file))
    read, write = os.pipe()
    os.write(write, f"{OTHER_KEY}\n{OTHER_SECRET}\n".encode())
    os.close(write)

    run("rotate", *ACME, "--fd", str(read))

    with tenant_scope(account.tenant_id):
        assert open_account_key(account.account_id).key.key == OTHER_KEY


@pytest.mark.parametrize(
    ("arguments", "said", "words", "code"),
    [
        (("list", "--tenant", "nobody"), "", "nobody", 2),
        (("list",), "", "--tenant: say whose account", 4),
        (("add", *ACME, "--exchange", "kraken"), "", "no account fits; there is --exchange sim", 2),
        (("add", *ACME), "", "two lines are accepted, there were 0", 4),
        (("add", *ACME), f"{KEY}\n{SECRET}\nmore", "two lines are accepted, there were 3", 4),
        (("add", *ACME), f"{KEY}\n???\n", "secret: the private key of Kraken is base64", 4),
        (("add", *ACME, "--key-file", "/absent"), "", "--key-file: /absent: No such file", 4),
        (("add", *ACME, "--fd", "987"), "", "--fd: 987: Bad file descriptor", 4),
        (("rotate", *ACME), "", "has no key; add one", 4),
        (("disable", *ACME), "", "has no key", 2),
        (("check", *ACME), "", "has no key", 1),
        (("rewrap", "--new"), "", "append the new key to it yourself", 4),
    ],
)
def test_what_is_wrong_is_one_sentence(
    account: Kept, arguments: tuple[str, ...], said: str, words: str, code: int
) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments, said=said)

    assert words in str(caught.value)
    assert caught.value.returncode == code
    assert SECRET not in str(caught.value)


def test_a_second_key_is_not_added_over_the_first(account: Kept) -> None:
    account.seal()

    with pytest.raises(CommandError, match="has a key; rotate it"):
        run("add", *ACME, said=f"{OTHER_KEY}\n{OTHER_SECRET}\n")


def test_a_good_key_is_found_good(account: Kept, customer: Account) -> None:
    account.seal()

    (told,) = run("check", *ACME)

    assert (told["state"], told["detail"], told["check_is_due"]) == ("GOOD", "", False)
    assert told["rights"] == sorted(RIGHTS)


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ((*RIGHTS, "withdraw-funds"), "the key may withdraw-funds; make one at Kraken that cannot"),
        (RIGHTS[:1], "the key lacks close-trades, create-ws-token"),
    ],
)
def test_a_right_too_many_or_too_few_is_told_and_holds_the_engine_until_it_is_mended(
    account: Kept, customer: Account, rights: tuple[str, ...], words: str
) -> None:
    account.seal()
    live_engine(account)
    customer.rights = rights

    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            run("check", *ACME)
        assert ended.value.code == 1

    assert words in account.row().detail
    ((kind, reason),) = ordered(account)
    assert kind == "HOLD_KEY"
    assert words in reason
    customer.rights = RIGHTS
    run("check", *ACME)
    assert [kind for kind, _ in ordered(account)] == ["HOLD_KEY", "LIFT_KEY"]


def test_a_wrong_secret_is_told_in_the_venues_words(account: Kept, customer: Account) -> None:
    account.seal(secret=OTHER_SECRET)

    with pytest.raises(SystemExit):
        run("check", *ACME)

    assert account.row().detail == "Kraken does not accept the key: EAPI:Invalid signature"


def test_a_venue_that_does_not_answer_changes_nothing_that_is_known(
    account: Kept, settings, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr("trading.exchanges.kraken.rest.FIRST_PAUSE_SECONDS", 0.01)
    settings.DATA_DIR = tmp_path
    tell_port(tmp_path, 1)
    row = account.seal()
    with tenant_scope(account.tenant_id):
        operations.note_check(
            credential_id=row.id, version=1, state="GOOD", detail="", rights=["x"], now=NOW
        )

    with pytest.raises(CommandError, match="Kraken cannot be reached") as caught:
        run("check", *ACME)

    assert caught.value.returncode == 1
    assert (account.row().state, account.row().rights) == ("GOOD", ["x"])


def test_once_a_day_the_beat_asks_and_a_process_of_the_fleet_checks(
    account: Kept, customer: Account
) -> None:
    row = account.seal()
    assert has_due_checks()
    assert check_keys() == 0
    assert (account.row().state, has_due_checks()) == ("GOOD", False)
    assert ask_key_checks() == 0

    with tenant_scope(account.tenant_id):
        day_ago = timezone.now() - timedelta(hours=25)
        operations.note_check(
            credential_id=row.id, version=1, state="GOOD", detail="", rights=[], now=day_ago
        )
    assert ask_key_checks() == 1
    customer.rights = (*RIGHTS, "withdraw-funds")
    check_keys()

    assert account.row().state == "BAD"


def test_what_an_engine_signs_with_is_left_to_the_engine_for_a_while(
    account: Kept, customer: Account
) -> None:
    account.seal()
    live_engine(account)
    with tenant_scope(account.tenant_id):
        Engine.objects.update(observed="RUNNING")
        operations.ask_check(account_id=account.account_id, actor=None, now=timezone.now())
    assert not has_due_checks()

    with tenant_scope(account.tenant_id):
        late = timezone.now() - timedelta(seconds=11)
        operations.ask_check(account_id=account.account_id, actor=None, now=late)
    assert has_due_checks()
    assert run("check", *ACME)[0]["check_is_due"]  # asked, not done here


def test_a_paper_engine_is_not_held_for_a_key_it_does_not_use(
    account: Kept, customer: Account
) -> None:
    account.seal()
    live_engine(account)
    with tenant_scope(account.tenant_id):
        ExchangeAccount.objects.update(mode="PAPER")
    customer.rights = ()

    check_keys()

    assert account.row().state == "BAD"
    assert ordered(account) == []


def test_rewrap_makes_a_new_kek_and_moves_everything_to_it(
    account: Kept, settings, tmp_path: Path
) -> None:
    settings.VAULT_KEK, settings.VAULT_KEK_FILE = SecretStr(""), tmp_path / "vault.keys"
    call_command("prepare_vault", stdout=io.StringIO())
    account.seal()
    before = account.row().data_key.kek_id

    told = run("rewrap", "--new")

    assert told["data_keys_moved"] == 1
    assert account.row().data_key.kek_id == told["kek"] != before
    newest = settings.VAULT_KEK_FILE.read_text().splitlines()[-1]
    settings.VAULT_KEK = SecretStr(newest)
    with tenant_scope(account.tenant_id):
        assert open_account_key(account.account_id).key.secret == SECRET


def test_words_for_people_tell_the_standing_and_no_secret(account: Kept) -> None:
    account.seal()
    out = io.StringIO()

    call_command("keys", "list", *ACME, stdout=OutputWrapper(out))

    words = f"Play (simulator, paper): key …{KEY[-4:]}, version 1, unchecked, a check is due\n"
    assert out.getvalue() == words


def test_an_engine_without_a_key_says_so_in_one_sentence(db) -> None:
    from trading.wiring.plans import CannotRun, read_plan
    from trading.wiring.streets import build_street

    rows = make_engine("acme", make_instrument("simulator"), venue="simulator")
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.update(mode="LIVE")
        from trading.models import Bot

        Bot.objects.update(stage="LIVE")
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))

    with pytest.raises(CannotRun, match="the account has no key; add one"):
        build_street(plan, speed=None, clock=None)
