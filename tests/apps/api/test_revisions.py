"""What a person does with a revision on the page, over the API: back to it, in force, given up."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tenants.models import AuditEntry
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.api.test_bots import LOOSER, TIGHTER, change, numbers, path  # noqa: F401
from tests.apps.step_up import step_up
from trading.models import RevisionWait

# ruff: noqa: F811 - fixtures are asked for by their names


def act(client: Any, path: str, number: int, name: str, body: Any = None, **headers: str) -> Any:
    return post(client, f"{path}/revisions/{number}/{name}", body, **headers)


def end_the_wait(people) -> None:
    with tenant_scope(people.engine.tenant_id):
        RevisionWait.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_bot_goes_back_to_an_earlier_revision(people, as_caller, path) -> None:
    client = as_caller("tom-trade")
    change(client, path, TIGHTER)
    change(client, path, {"risk.max_open_positions": 2}, match='"r2"')

    stricter = act(client, path, 2, "revert", **{"If-Match": '"r3"'})  # from 2 to 3: looser
    assert stricter.status_code == 403
    owner = act(as_caller("olga-admin"), path, 2, "revert", **{"If-Match": '"r3"'})

    told = owner.json()
    assert (owner.status_code, owner["ETag"], told["revision"]) == (202, '"r3"', 4)
    assert told["params"]["risk"]["max_open_positions"] == 3
    assert told["wait"]["loosens"] == ["risk.max_open_positions"]
    assert numbers(people) == (3, 4)


def test_back_to_tighter_limits_is_at_once(people, as_caller, path) -> None:
    client = as_caller("tom-trade")
    change(client, path, TIGHTER)
    loose = act(as_caller("olga-admin"), path, 1, "revert", **{"If-Match": '"r2"'})
    assert loose.json()["wait"]["ended_at"] is None
    in_force(people, as_caller, path, 3)

    answer = act(client, path, 2, "revert", **{"If-Match": '"r3"'})

    assert (answer.status_code, answer["ETag"], answer.json()["wait"]) == (201, '"r4"', None)
    assert client.get(answer["Location"]).json() == answer.json()


def in_force(people, as_caller, path: str, number: int) -> Any:
    end_the_wait(people)
    return act(step_up(as_caller("olga"), people.olga), path, number, "put-in-force")


@pytest.mark.parametrize(("headers", "code"), [({}, 428), ({"If-Match": '"r7"'}, 412)])
def test_nobody_goes_back_from_what_he_has_not_seen(people, as_caller, path, headers, code) -> None:
    assert act(as_caller("tom-trade"), path, 1, "revert", **headers).status_code == code


def test_an_owners_second_factor_puts_in_force_what_has_waited(people, as_caller, path) -> None:
    change(as_caller("olga-admin"), path, LOOSER)

    answer = in_force(people, as_caller, path, 2)

    told = answer.json()
    assert (answer.status_code, answer["ETag"], told["is_active"]) == (200, '"r2"', True)
    assert told["wait"]["outcome"] == "IN_FORCE"
    assert numbers(people) == (2, 2)
    with tenant_scope(people.engine.tenant_id):
        entry = AuditEntry.objects.filter(action="bot.revise").latest("sequence")
        assert (entry.actor, entry.after["revision"]) == (people.olga, 2)


def test_no_key_and_no_session_alone_puts_in_force(people, as_caller, path) -> None:
    change(as_caller("olga-admin"), path, LOOSER)
    end_the_wait(people)

    answers = [act(as_caller(who), path, 2, "put-in-force") for who in ("olga-admin", "olga")]

    assert [one.status_code for one in answers] == [403, 403]
    assert "No key can do this" in answers[0].json()["detail"]
    assert "second factor" in answers[1].json()["detail"]
    assert numbers(people) == (1, 2)


def test_what_still_waits_is_not_put_in_force(people, as_caller, path) -> None:
    change(as_caller("olga-admin"), path, LOOSER)

    answer = act(step_up(as_caller("olga"), people.olga), path, 2, "put-in-force")

    assert (answer.status_code, "It waits until" in answer.json()["detail"]) == (409, True)
    assert numbers(people) == (1, 2)


def test_of_two_proposals_the_one_that_was_looked_at_or_none(people, as_caller, path) -> None:
    owner = as_caller("olga-admin")
    change(owner, path, LOOSER)
    change(owner, path, {"risk.max_open_positions": 20})
    end_the_wait(people)
    session = step_up(as_caller("olga"), people.olga)

    refusals = [act(session, path, 2, "put-in-force"), act(as_caller("tom"), path, 2, "withdraw")]

    told = [(one.status_code, one.json()["detail"]) for one in refusals]
    assert told == [(409, "Revision 2 does not wait; revision 3 does.")] * 2
    assert numbers(people) == (1, 3)


def test_a_trader_gives_up_what_waits(people, as_caller, path) -> None:
    change(as_caller("olga-admin"), path, LOOSER)
    client = as_caller("tom-trade")

    answer = act(client, path, 2, "withdraw")
    again = act(client, path, 2, "withdraw")

    assert (answer.status_code, answer.json()["wait"]["outcome"]) == (200, "WITHDRAWN")
    assert (again.status_code, again.json()["detail"]) == (409, "No revision waits.")
    assert numbers(people) == (1, 2)


def test_what_is_not_there_is_not_found(people, as_caller, path) -> None:
    client = as_caller("tom-trade")

    assert act(client, path, 9, "revert", **{"If-Match": "*"}).status_code == 404
    nowhere = "/bots/00000000-0000-4000-8000-000000000000"
    for name, who in (("withdraw", client), ("revert", client)):
        assert act(who, nowhere, 1, name, **{"If-Match": "*"}).status_code == 404
    session = step_up(as_caller("olga"), people.olga)
    assert act(session, nowhere, 1, "put-in-force").status_code == 404
    assert act(as_caller("max-admin"), path, 1, "withdraw").status_code == 404
