"""From an empty workspace to an engine that is asked to start: pages, rules, roles, and the audit log."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tenants.models import AuditEntry, ExchangeAccount, ExchangeCredential
from tenants.scoping import tenant_scope
from tests.apps.step_up import step_up
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from tests.engine.fakes import random_bars
from tests.factories import NOW, store_bars
from tests.vault.conftest import KEY, SECRET
from trading import operations
from trading.marketdata.store import BarStore
from trading.models import Bot, Engine, Instrument
from trading.queries.dashboard import paid_in

DISABLE = {"word": "disable"}
NEW = {"venue": "simulator", "name": "Play", "currency": "USD", "cash": "500", "speed": "60"}
BOT = {"name": "Rider", "pairs": ["BTC/USD", "ETH/USD"], "timeframe": "5m", "profile": "active"}


def account_of(people: People, name: str = "Play") -> ExchangeAccount:
    with tenant_scope(people.engine.tenant_id):
        return ExchangeAccount.objects.select_related("engine").get(label=name)


def add(client: Client, **changed: str) -> Any:
    return client.post("/exchange-accounts/new/", {**NEW, **changed})


def make(client: Client, account: ExchangeAccount, **changed: Any) -> Any:
    return client.post(f"/bots/new/?account={account.id}", {**BOT, **changed})


def acts(people: People) -> list[str]:
    with tenant_scope(people.engine.tenant_id):
        entries = AuditEntry.objects.filter(at__gt=NOW).order_by("sequence")
        return list(entries.values_list("action", flat=True))


def at_rest(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(desired="STOPPED", observed="STOPPED")


def test_an_owner_goes_from_nothing_to_an_engine_that_is_asked_to_run(people: People) -> None:
    client = signed_in(people.max)  # his workspace is empty
    assert "Add an account" in client.get("/").content.decode()

    answer = add(client)
    made = client.get(answer["Location"])
    assert "New bot on Play" in made.content.decode()
    answer = client.post(answer["Location"], BOT)
    engine = client.get(answer["Location"])
    assert "Start the engine" in engine.content.decode()
    started = client.post(f"{answer['Location']}wish/start/", follow=True)

    page = started.content.decode()
    assert "Stop the engine" in page
    assert 'data-paid-in="500' in page
    assert "BTC/USD" in page
    assert "First steps" in page  # until the first decision


def test_the_account_the_bot_and_the_wish_stand_in_the_audit_log(people: People) -> None:
    client = signed_in(people.olga)
    add(client)
    account = account_of(people)
    make(client, account)
    client.post(f"/engines/{account.engine.id}/wish/start/")
    client.post(f"/engines/{account.engine.id}/wish/stop/")

    assert acts(people) == [
        "account.open", "funds.deposit", "bot.revise", "bot.create", "engine.desire",
        "engine.desire",
    ]  # fmt: skip
    with tenant_scope(people.engine.tenant_id):
        assert paid_in(account.engine) == Decimal(500)
        bot = Bot.objects.get(name="Rider")
        assert (bot.stage, bot.active_revision.timeframe_seconds) == ("PAPER", 300)
        symbols = [row.instrument.symbol for row in bot.bot_instruments.order_by("order")]
        assert symbols == ["BTC/USD", "ETH/USD"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "paper"}, "&#x27;paper&#x27; is taken"),  # another venue's, in other letters
        ({"name": " "}, "This field is required"),
        ({"venue": "mtgox"}, "Select a valid choice"),
        ({"currency": "EUR"}, "&#x27;EUR&#x27;, invented markets are quoted in USD only"),
        ({"venue": "kraken", "currency": "?"}, "&#x27;?&#x27;, accepted is a code such as USD"),
        ({"cash": "0"}, "0, accepted is 1 to 1000000000000"),
        ({"cash": "much"}, "Enter a number"),
        ({"speed": "-1"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    people: People, changed: Mapping[str, str], words: str
) -> None:
    page = add(signed_in(people.olga), **changed)

    assert page.status_code == 200
    assert words in page.content.decode()
    with tenant_scope(people.engine.tenant_id):
        assert ExchangeAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"pairs": ["MOON/USD"]}, "MOON/USD is not one of the available choices"),
        ({"pairs": []}, "Choose at least one pair"),
        ({"name": "Rider"}, "&#x27;Rider&#x27; is taken on Play"),
        ({"timeframe": "1h"}, "3600 s, but bot &#x27;Rider&#x27; of this account has 300 s"),
        ({"profile": "reckless"}, "Select a valid choice"),
    ],
)
def test_a_bot_that_cannot_be_is_refused_beside_its_field(
    people: People, changed: Mapping[str, Any], words: str
) -> None:
    client = signed_in(people.tom)
    add(signed_in(people.olga))
    make(client, account_of(people))

    page = make(client, account_of(people), **{"name": "Other", **changed})

    assert page.status_code == 200
    assert words in page.content.decode()


def test_the_synthetic_market_has_one_minute_bars_only(people: People) -> None:
    add(signed_in(people.olga), venue="synthetic")

    page = make(signed_in(people.olga), account_of(people), timeframe="1h")

    assert "The synthetic market has one-minute bars" in page.content.decode()


def test_a_replay_account_offers_what_is_stored_in_its_currency(
    people: People, tmp_path, settings
) -> None:
    settings.BARS_DIR = tmp_path
    store = BarStore(tmp_path)
    for symbol in ("BTC/USD", "BTC/EUR"):
        store_bars(random_bars(7, 300), store=store, venue="bitfinex", symbol=symbol)
    client = signed_in(people.olga)
    add(client, venue="replay")
    account = account_of(people)

    page = client.get(f"/bots/new/?account={account.id}").content.decode()
    answer = make(client, account, pairs=["BTC/USD"])

    assert "BTC/USD" in page
    assert "BTC/EUR" not in page
    assert answer.status_code == 302
    with tenant_scope(people.engine.tenant_id):
        row = Bot.objects.get(name="Rider").bot_instruments.get()
        assert row.instrument == Instrument.objects.get(venue="bitfinex", symbol="BTC/USD")


def test_a_venue_without_known_pairs_says_what_to_do(people: People) -> None:
    add(signed_in(people.olga), venue="kraken", currency="EUR")

    page = signed_in(people.tom).get(f"/bots/new/?account={account_of(people).id}")

    assert "manage.py download_bars" in page.content.decode()


def test_traders_make_bots_and_owners_accounts_and_viewers_neither(people: People) -> None:
    add(signed_in(people.olga))
    account = account_of(people)
    engine = f"/engines/{account.engine.id}/wish/start/"
    paths = {
        "tom": (403, 302, 302, 403, 403),
        "vera": (403, 403, 403, 403, 403),
        "max": (200, 200, 404, 404, 404),
    }
    for name, expected in paths.items():
        client = signed_in(getattr(people, name))
        told = (
            add(client, name="paper " * 20).status_code,  # too long: nothing is made
            make(client, account, name=f"of {name}").status_code,
            client.post(engine).status_code,
            client.post(f"/exchange-accounts/{account.id}/", {"name": "Mine"}).status_code,
            client.post(f"/exchange-accounts/{account.id}/use/disable/", DISABLE).status_code,
        )
        assert told == expected, name
    with tenant_scope(people.engine.tenant_id):
        assert sorted(Bot.objects.values_list("name", flat=True)) == ["Bot", "of tom"]


def test_a_key_entered_next_asks_for_the_second_factor(people: People) -> None:
    client = signed_in(people.olga)

    answer = client.post("/exchange-accounts/new/", {**NEW, "with_key": "1"})

    assert answer["Location"] == f"/exchange-accounts/{account_of(people).id}/key/"
    assert client.get(answer["Location"]).status_code == 302
    step_up(client, people.olga)
    sealed = client.post(answer["Location"], {"key": KEY, "secret": SECRET})
    assert sealed["Location"] == "/exchange-accounts/"
    assert f"…{KEY[-4:]}" in client.get("/exchange-accounts/").content.decode()


def test_an_account_is_renamed_and_its_name_stays_its_own(people: People) -> None:
    client = signed_in(people.olga)
    add(client)
    path = f"/exchange-accounts/{account_of(people).id}/"

    taken = client.post(path, {"name": "PAPER"})
    client.post(path, {"name": "play"})  # its own name in other letters

    assert "is taken" in taken.content.decode()
    assert account_of(people, "play").venue == "simulator"


def test_a_disabled_account_starts_nothing_until_it_is_enabled(people: People) -> None:
    client = signed_in(people.olga)
    path = f"/exchange-accounts/{people.engine.account_id}/use"
    busy = client.post(f"{path}/disable/", DISABLE, follow=True).content.decode()
    assert "stop its engine first" in busy
    at_rest(people)

    client.post(f"{path}/disable/", DISABLE)

    wish = f"/engines/{people.engine.engine_id}/wish/start/"
    assert "is disabled; enable it first" in client.post(wish, follow=True).content.decode()
    with tenant_scope(people.engine.tenant_id):
        assert Engine.objects.get(id=people.engine.engine_id).desired == "STOPPED"
    assert "which account?" in client.get("/bots/new/").content.decode()
    client.post(f"{path}/enable/")
    client.post(wish)
    with tenant_scope(people.engine.tenant_id):
        assert Engine.objects.get(id=people.engine.engine_id).desired == "RUNNING"


def test_an_account_is_not_disabled_without_the_word(people: People) -> None:
    client, at = signed_in(people.olga), f"/exchange-accounts/{people.engine.account_id}/"
    at_rest(people)

    page = client.post(f"{at}use/disable/", {"word": "enable"}, follow=True)

    assert page.redirect_chain == [(at, 302)]
    assert "type “disable” to go on; “enable” was typed." in page.content.decode()
    assert account_of(people, "Paper").disabled_at is None


def test_disabling_forgets_the_key(people: People) -> None:
    client = step_up(signed_in(people.olga), people.olga)
    add(client)
    account = account_of(people)
    client.post(f"/exchange-accounts/{account.id}/key/", {"key": KEY, "secret": SECRET})

    client.post(f"/exchange-accounts/{account.id}/use/disable/", DISABLE)

    with tenant_scope(people.engine.tenant_id):
        kept = ExchangeCredential.objects.get()
        assert (kept.state, bytes(kept.sealed)) == ("DISABLED", b"")


def test_an_account_that_holds_something_is_not_disabled(people: People) -> None:
    at_rest(people)
    rows.write_position(people.engine)

    with (
        tenant_scope(people.engine.tenant_id),
        pytest.raises(operations.InvalidAccount, match="close its positions first"),
    ):
        operations.disable_account(account_id=people.engine.account_id, actor=None, now=NOW)


def test_no_bot_is_made_on_an_account_with_real_orders(people: People) -> None:
    client = signed_in(people.olga)
    add(client, venue="kraken")
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.filter(label="Play").update(mode="LIVE")
        Instrument.objects.filter(venue="synthetic").update(venue="kraken")

    page = make(client, account_of(people), pairs=["BTC/USD"])

    assert "sends real orders; a new bot begins on paper" in page.content.decode()


def test_an_account_made_elsewhere_gets_its_engine_with_its_first_bot(people: People) -> None:
    add(signed_in(people.olga))
    with tenant_scope(people.engine.tenant_id):
        bare = ExchangeAccount.objects.create(
            tenant_id=people.engine.tenant_id, venue="simulator", label="Bare"
        )

    answer = make(signed_in(people.tom), bare)

    assert answer["Location"] == f"/engines/{account_of(people, 'Bare').engine.id}/"


def test_the_card_of_first_steps_is_gone_once_something_was_decided(people: People) -> None:
    client = signed_in(people.vera)
    assert "First steps" in client.get("/").content.decode()

    rows.write_decision(people.engine)

    assert "First steps" not in client.get("/").content.decode()


def test_an_unknown_wish_or_engine_is_not_found(people: People) -> None:
    client = signed_in(people.tom)

    assert client.post(f"/engines/{people.engine.engine_id}/wish/fly/").status_code == 404
    assert client.post(f"/engines/{uuid.uuid4()}/wish/start/").status_code == 404


def told_by(*arguments: str) -> str:
    out = StringIO()
    call_command("accounts", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_terminal_adds_lists_renames_disables_and_enables(people: People, tmp_path) -> None:
    acme, file = ("--tenant", "acme"), tmp_path / "key"
    file.write_text(f"{KEY}\n{SECRET}\n")

    added = told_by("add", *acme, "--name", "Shell", "--exchange", "simulator", "--cash", "50",
                    "--key-file", str(file))  # fmt: skip
    renamed = told_by("rename", *acme, "--name", "Shell", "--to", "Terminal")
    disabled = told_by("disable", *acme, "--name", "Terminal")
    listed = told_by("list", *acme)

    assert added == f"Shell (simulator, USD): paper, key …{KEY[-4:]}, unchecked"
    assert renamed.startswith("Terminal (simulator, USD): paper")
    assert disabled == "Terminal (simulator, USD): disabled, key none"
    assert listed == f"{disabled}\nPaper (synthetic, USD): paper, key none"
    assert told_by("enable", *acme, "--name", "Terminal").endswith("paper, key none")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add", "--tenant", "acme", "--name", "Paper", "--exchange", "kraken"], 4, "name: 'Paper' is taken"),
        (["add", "--tenant", "acme", "--name", "X", "--exchange", "mtgox"], 4, "venue: 'mtgox': accepted is kraken"),
        (["add", "--tenant", "acmee", "--name", "X", "--exchange", "kraken"], 2, "known are acme"),
        (["add", "--tenant", "acme", "--name", "X", "--exchange", "synthetic", "--speed", "0"], 4, "speed: "),
        (["rename", "--tenant", "acme", "--name", "X", "--to", "Y"], 2, "'X'; there is 'Paper'"),
        (["disable", "--tenant", "acme", "--name", "Paper"], 4, "stop its engine first"),
    ],
)  # fmt: skip
def test_the_terminal_says_what_is_wrong(
    people: People, arguments: list[str], code: int, words: str
) -> None:
    with pytest.raises(CommandError) as error:
        told_by(*arguments)

    assert words in str(error.value)
    assert error.value.returncode == code


def test_a_bad_key_adds_no_account(people: People, tmp_path) -> None:
    file = tmp_path / "key"
    file.write_text("short\nx\n")

    with pytest.raises(CommandError, match="key: "):
        told_by("add", "--tenant", "acme", "--name", "Shell", "--exchange", "simulator",
                "--key-file", str(file))  # fmt: skip

    with tenant_scope(people.engine.tenant_id):
        assert not ExchangeAccount.objects.filter(label="Shell").exists()
