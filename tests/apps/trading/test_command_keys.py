"""A press whose answer got lost may be repeated; the press after an answer is a new one."""

import re

from django.http import HttpResponse
from django.test import Client

from tenants.scoping import tenant_scope
from tests.apps.trading.conftest import People, signed_in
from trading.models import EngineCommand


def keys_in(answer: HttpResponse) -> set[str]:
    """The keys the forms of this page would send."""
    return set(re.findall(r'name="key" id="key-\w+" value="(\w+)"', answer.content.decode()))


def press(client: Client, people: People, name: str, key: str) -> HttpResponse:
    """What htmx sends for one press of a button."""
    url = f"/engines/{people.engine.engine_id}/commands/{name}/"
    return client.post(url, {"key": key}, headers={"HX-Request": "true"})


def count_commands(people: People) -> int:
    with tenant_scope(people.engine.tenant_id):
        return EngineCommand.objects.count()


def test_the_buttons_of_a_page_carry_one_key_of_this_page(people: People) -> None:
    tom = signed_in(people.tom)

    first, second = (keys_in(tom.get("/")) for _ in range(2))

    assert len(first) == len(second) == 1
    assert first != second


def test_an_answer_brings_a_new_key_for_every_button(people: People) -> None:
    tom = signed_in(people.tom)
    page = tom.get("/")
    (key,) = keys_in(page)

    answer = press(tom, people, "pause", key)

    (next_key,) = keys_in(answer)
    assert next_key != key
    buttons = re.findall(r'id="(key-\w+)"', page.content.decode())
    assert re.findall(r'id="(key-\w+)"', answer.content.decode()) == buttons
    assert answer.content.decode().count('hx-swap-oob="true"') == len(buttons) > 1


def test_pausing_again_after_resuming_is_not_taken_for_the_first_pause(people: People) -> None:
    tom = signed_in(people.tom)
    (key,) = keys_in(tom.get("/"))

    for name in ("pause", "resume", "pause"):
        (key,) = keys_in(press(tom, people, name, key))

    assert count_commands(people) == 3


def test_a_repeated_press_whose_answer_got_lost_is_one_command(people: People) -> None:
    tom = signed_in(people.tom)
    (key,) = keys_in(tom.get("/"))

    press(tom, people, "pause", key)
    press(tom, people, "pause", key)

    assert count_commands(people) == 1
