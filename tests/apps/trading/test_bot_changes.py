"""Changing a bot: tightening at once; loosening needs an owner, a second factor, and a day."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tenants.models import AuditEntry
from tenants.scoping import tenant_scope
from tests.apps.step_up import step_up
from tests.apps.trading.conftest import People, signed_in
from trading.forms import ParametersForm
from trading.models import Bot, BotRevision, RevisionWait
from trading.research.space import list_parameters

TIGHTER, LOOSER = {"risk.max_open_positions": "3"}, {"risk.max_open_positions": "9"}


def the_bot(people: People) -> Bot:
    with tenant_scope(people.engine.tenant_id):
        return Bot.objects.select_related("active_revision").get()


def path(people: People, act: str) -> str:
    return f"/bots/{the_bot(people).id}/{act}/"


def filled(people: People, **changed: Any) -> dict[str, Any]:
    """The form as the page shows it, with some fields changed."""
    revision = the_bot(people).active_revision
    form = ParametersForm(params=revision.params)
    shown = {one["name"]: form[one["name"]].value() for one in list_parameters()}
    return {**shown, "based_on": revision.number, **changed}


def save(client: Client, people: People, **changed: Any) -> Any:
    return client.post(path(people, "edit"), filled(people, **changed))


def active(people: People) -> tuple[int, int]:
    """Number of the active revision, and how many positions it allows."""
    revision = the_bot(people).active_revision
    return revision.number, revision.params["risk"]["max_open_positions"]


def waits(people: People) -> list[tuple[int, str]]:
    with tenant_scope(people.engine.tenant_id):
        listed = RevisionWait.objects.order_by("id")
        return [(one.revision.number, one.outcome) for one in listed.select_related("revision")]


def let_time_pass(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        for wait in RevisionWait.objects.filter(ended_at=None):
            wait.due_at -= timedelta(hours=25)
            wait.save()


@pytest.fixture
def olga(people: People) -> Client:
    """Olga, who gave her second factor a moment ago."""
    return step_up(signed_in(people.olga), people.olga)


def test_a_trader_tightens_at_once_and_stands_as_its_author(people: People) -> None:
    answer = save(signed_in(people.tom), people, **TIGHTER)

    assert answer.status_code == 302
    assert active(people) == (2, 3)
    with tenant_scope(people.engine.tenant_id):
        assert BotRevision.objects.get(number=2).author == people.tom
        assert AuditEntry.objects.filter(action="bot.revise", actor=people.tom).exists()
    assert "tom@example.com" in signed_in(people.vera).get(answer["Location"]).content.decode()


def test_a_trader_may_not_loosen(people: People) -> None:
    answer = save(signed_in(people.tom), people, **LOOSER)

    assert "Only an owner may loosen risk.max_open_positions." in answer.content.decode()
    assert (active(people), waits(people)) == ((1, 5), [])


def test_an_owner_without_the_second_factor_is_asked_for_it(people: People) -> None:
    answer = save(signed_in(people.olga), people, **LOOSER)

    assert answer.status_code == 302
    assert "/accounts/2fa/" in answer["Location"]
    assert waits(people) == []


def test_loosening_waits_a_day_and_an_owner_puts_it_in_force(people: People, olga: Client) -> None:
    save(olga, people, **LOOSER)
    assert (active(people), waits(people)) == ((1, 5), [(2, "")])

    told = olga.post(path(people, "put-in-force"), follow=True).content.decode()
    assert "It waits until" in told
    assert active(people) == (1, 5)

    let_time_pass(people)
    olga.post(path(people, "put-in-force"))
    assert (active(people), waits(people)) == ((2, 9), [(2, "IN_FORCE")])


def test_time_alone_puts_nothing_in_force_and_neither_do_others(
    people: People, olga: Client
) -> None:
    save(olga, people, **LOOSER)
    let_time_pass(people)

    assert signed_in(people.tom).post(path(people, "put-in-force")).status_code == 403
    unproven = signed_in(people.olga).post(path(people, "put-in-force"))
    assert "/accounts/2fa/reauthenticate/" in unproven["Location"]
    assert active(people) == (1, 5)


def test_what_waits_can_be_withdrawn_by_a_trader(people: People, olga: Client) -> None:
    save(olga, people, **LOOSER)

    signed_in(people.tom).post(path(people, "withdraw"))
    let_time_pass(people)
    told = olga.post(path(people, "put-in-force"), follow=True).content.decode()

    assert "No revision waits." in told
    assert (active(people), waits(people)) == ((1, 5), [(2, "WITHDRAWN")])


def test_a_later_change_ends_the_wait_so_that_nothing_is_undone(
    people: People, olga: Client
) -> None:
    save(olga, people, **LOOSER)

    save(olga, people, **TIGHTER)
    let_time_pass(people)
    olga.post(path(people, "put-in-force"))

    assert (active(people), waits(people)) == ((3, 3), [(2, "SUPERSEDED")])


def test_going_back_to_a_looser_revision_waits_too(people: People, olga: Client) -> None:
    save(olga, people, **TIGHTER)

    olga.post(path(people, "revert/1"))

    assert (active(people), waits(people)) == ((2, 3), [(3, "")])


def test_going_back_to_a_tighter_revision_is_at_once(people: People, olga: Client) -> None:
    save(olga, people, **LOOSER)
    let_time_pass(people)
    olga.post(path(people, "put-in-force"))

    signed_in(people.tom).post(path(people, "revert/1"))

    assert active(people) == (3, 5)


def test_a_form_filled_in_before_another_change_is_refused(people: People) -> None:
    tom = signed_in(people.tom)
    stale = filled(people, **{"exits.stop_scale": "3"})
    save(tom, people, **TIGHTER)

    answer = tom.post(path(people, "edit"), stale)

    assert "Another revision was put in force meanwhile" in answer.content.decode()
    assert active(people) == (2, 3)


def test_nothing_changed_makes_no_revision(people: People) -> None:
    answer = save(signed_in(people.tom), people)

    assert "Nothing differs from the active revision." in answer.content.decode()
    assert active(people) == (1, 5)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("risk.max_open_positions", "0", "greater than or equal to 1"),
        ("risk.max_open_positions", "2.5", "whole number"),
        ("risk.max_drawdown", "2", "less than or equal to 0.9"),
        ("risk.max_drawdown", "nan", "Enter a number"),
        ("sizing.risk_per_trade", "", "A number from 0.0005 to 0.1."),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_field(
    people: People, name: str, value: str, words: str
) -> None:
    shown = save(signed_in(people.tom), people, **{name: value}).content.decode()

    assert words in shown
    assert f"Not saved: {name}." in shown
    assert active(people) == (1, 5)


def test_viewers_and_strangers_change_nothing(people: People, olga: Client) -> None:
    save(olga, people, **LOOSER)
    acts = ("edit", "revert/1", "put-in-force", "withdraw")

    for act in acts:
        assert signed_in(people.vera).post(path(people, act), {}).status_code == 403
        assert Client().post(path(people, act), {}).status_code == 302
    stranger = step_up(signed_in(people.max), people.max)
    for act in acts:
        assert stranger.post(path(people, act), {}).status_code == 404
    assert (
        "Change" not in signed_in(people.vera).get(f"/bots/{the_bot(people).id}/").content.decode()
    )
    assert (active(people), waits(people)) == ((1, 5), [(2, "")])


def test_every_parameter_can_be_changed_on_the_page(people: People) -> None:
    shown = signed_in(people.tom).get(path(people, "edit")).content.decode()

    for one in list_parameters():
        assert f'name="{one["name"]}"' in shown
