"""Who may see and do what: Olga owns, Tom trades, Vera views, Max must see nothing."""

import uuid

import pytest
from django.test import Client

from tenants.models import AuditEntry
from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from trading.models import EngineCommand

COMMANDS = ("pause", "resume", "close_all")


def paths(people: People) -> tuple[str, ...]:
    engine = people.engine.engine_id
    return ("/", f"/engines/{engine}/", f"/engines/{engine}/chart/0/",
            f"/engines/{engine}/markets/0/", f"/engines/{engine}/plots/0/")  # fmt: skip


def commands(people: People) -> list[EngineCommand]:
    with tenant_scope(people.engine.tenant_id):
        return list(EngineCommand.objects.order_by("requested_at", "id"))


def send(client: Client, people: People, name: str, **data: str):
    typed = {"word": name.replace("_", " "), **data}
    return client.post(f"/engines/{people.engine.engine_id}/commands/{name}/", typed)


def test_nobody_sees_a_page_without_signing_in(people: People) -> None:
    for path in paths(people):
        answer = Client().get(path)

        assert answer.status_code == 302
        assert "/accounts/login/" in answer["Location"]


@pytest.mark.parametrize("name", ["olga", "tom", "vera"])
def test_every_member_sees_the_pages(people: People, name: str) -> None:
    client = signed_in(getattr(people, name))

    assert [client.get(path).status_code for path in paths(people)] == [200] * 5


def test_max_sees_nothing_of_another_workspace(people: People) -> None:
    rows.write_decision(people.engine)
    client = signed_in(people.max)

    own, *others = (client.get(path) for path in paths(people))

    assert str(people.engine.engine_id) not in own.content.decode()
    assert [answer.status_code for answer in others] == [404] * 4


@pytest.mark.parametrize("command", COMMANDS)
def test_max_commands_nothing_in_another_workspace(people: People, command: str) -> None:
    answer = send(signed_in(people.max), people, command)

    assert answer.status_code == 404
    assert commands(people) == []


def test_max_cannot_choose_a_workspace_he_is_no_member_of(people: People) -> None:
    client = signed_in(people.max)
    session = client.session
    session["tenant_id"] = str(people.engine.tenant_id)
    session.save()

    assert client.get(paths(people)[1]).status_code == 404


@pytest.mark.parametrize("command", COMMANDS)
def test_vera_may_look_but_not_command(people: People, command: str) -> None:
    client = signed_in(people.vera)

    answer = send(client, people, command)

    assert answer.status_code == 403
    assert commands(people) == []
    assert "Pause entries" not in client.get("/").content.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_tom_commands_and_it_is_in_the_audit_log(people: People, command: str) -> None:
    answer = send(signed_in(people.tom), people, command)

    assert answer.status_code == 302
    (written,) = commands(people)
    assert (written.kind, written.requested_by) == (command.upper(), people.tom)
    with tenant_scope(people.engine.tenant_id):
        assert AuditEntry.objects.filter(action=f"engine.{command}", actor=people.tom).exists()


def test_the_same_click_twice_is_one_command(people: People) -> None:
    client = signed_in(people.tom)

    send(client, people, "pause", key="click-1")
    send(client, people, "pause", key="click-1")

    assert len(commands(people)) == 1


@pytest.mark.parametrize(
    ("command", "word"), [("kill", "kil"), ("close_all", ""), ("kill", "close all")]
)
def test_without_the_word_asked_for_nothing_is_done_and_it_is_said(
    people: People, command: str, word: str
) -> None:
    client = signed_in(people.olga)
    address = f"/engines/{people.engine.engine_id}/commands/{command}/"
    wanted = command.replace("_", " ")

    page = client.post(address, {"word": word}, follow=True).content.decode()
    beside = client.post(address, {"word": word}, headers={"HX-Request": "true"})

    told = f"type “{wanted}” to go on; {f'“{word}” was' if word else 'nothing was'} typed."
    assert told in page
    assert (beside.status_code, beside.content.decode()) == (400, f"Nothing was done: {told}")
    assert beside["Content-Type"].startswith("text/plain")
    assert commands(people) == []
    send(client, people, command, word=f" {wanted.title()} ")  # as a phone's keyboard writes it
    assert [one.kind for one in commands(people)] == [command.upper()]


def test_a_command_without_the_csrf_token_is_refused(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.tom)

    assert send(client, people, "close_all").status_code == 403
    assert commands(people) == []


def test_reading_a_command_does_nothing(people: People) -> None:
    answer = signed_in(people.tom).get(f"/engines/{people.engine.engine_id}/commands/pause/")

    assert answer.status_code == 405
    assert commands(people) == []


def test_an_unknown_command_or_engine_is_not_found(people: People) -> None:
    client = signed_in(people.tom)

    assert send(client, people, "detonate").status_code == 404
    assert client.post(f"/engines/{uuid.uuid4()}/commands/pause/").status_code == 404


def test_pages_are_never_stored_by_caches_and_allow_no_foreign_code(people: People) -> None:
    answer = signed_in(people.olga).get("/")

    assert "no-store" in answer["Cache-Control"]
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("command", ["kill", "revive"])
def test_only_owners_kill_and_revive(people: People, command: str) -> None:
    for person in (people.tom, people.vera):
        assert send(signed_in(person), people, command).status_code == 403
        assert "Kill" not in signed_in(person).get("/").content.decode()
    assert commands(people) == []

    assert send(signed_in(people.olga), people, command).status_code == 302
    assert [one.kind for one in commands(people)] == [command.upper()]
    assert "Kill" in signed_in(people.olga).get("/").content.decode()
