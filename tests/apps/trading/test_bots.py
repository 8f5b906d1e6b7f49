"""What a bot is set to: every parameter with its declaration, by revision, and what differs."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW
from trading import operations
from trading.models import Bot
from trading.queries import bots as queries
from trading.queries.bots import Difference, differences
from trading.research.space import list_parameters


def the_bot(people: People) -> Bot:
    with tenant_scope(people.engine.tenant_id):
        return Bot.objects.select_related("active_revision").get()


def revise(people: People, group: str, name: str, value: float) -> None:
    with tenant_scope(people.engine.tenant_id):
        bot = Bot.objects.select_related("active_revision").get()
        params = bot.active_revision.params
        operations.revise_bot(
            bot=bot,
            timeframe_seconds=60,
            params={**params, group: {**params[group], name: value}},
            actor=people.olga,
            now=NOW,
        )


def page(people: People, query: str = "", status: int = 200) -> str:
    answer = signed_in(people.vera).get(f"/bots/{the_bot(people).id}/{query}")
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.parametrize("name", ["olga", "tom", "vera"])
def test_every_member_reads_bots(people: People, name: str) -> None:
    client = signed_in(getattr(people, name))

    assert "1 of 1" in client.get("/bots/").content.decode()
    assert client.get(f"/bots/{the_bot(people).id}/").status_code == 200


def test_strangers_and_max_read_none(people: People) -> None:
    path = f"/bots/{the_bot(people).id}/"

    for closed in ("/bots/", path):
        assert "/accounts/login/" in Client().get(closed)["Location"]
    max_ = signed_in(people.max)
    assert "No bot yet" in max_.get("/bots/").content.decode()
    assert max_.get(path).status_code == 404
    assert max_.get(f"/bots/{uuid.uuid4()}/").status_code == 404


def test_every_declared_parameter_stands_with_its_declaration(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        shown = queries.show_revision(bot_id=the_bot(people).id)

    told = [one for _, group in shown.groups for one in group]
    declared = list_parameters()
    assert [(p.name, p.default, p.low, p.high, p.unit, p.help) for p in told] == [
        tuple(d[key] for key in ("name", "default", "low", "high", "unit", "help"))
        for d in declared
    ]
    assert shown.profile == "active"
    assert {p.name for p in told if not p.is_default} >= {"risk.max_drawdown", "exits.stop_scale"}


def test_the_page_tells_what_a_revision_changed(people: People) -> None:
    revise(people, "risk", "max_open_positions", 3)

    shown = page(people)

    assert "Revision 2 beside revision 1" in shown
    assert "<code>risk.max_open_positions</code>" in shown
    assert "There is none before it" in page(people, "?number=1")


def test_any_two_revisions_can_be_compared(people: People) -> None:
    revise(people, "risk", "max_open_positions", 3)
    revise(people, "exits", "stop_scale", 2.0)
    with tenant_scope(people.engine.tenant_id):
        shown = queries.show_revision(bot_id=the_bot(people).id, number=3, beside=1)

    assert shown.differences == [
        Difference("risk.max_open_positions", 5, 3),
        Difference("exits.stop_scale", 4.0, 2.0),
    ]
    assert shown.profile == ""


def test_a_parameter_that_one_revision_lacks_is_told() -> None:
    assert differences({"risk": {"old": 1}}, {"risk": {"new": 2}}) == [
        Difference("risk.old", 1, None),
        Difference("risk.new", None, 2),
    ]


@pytest.mark.parametrize("query", ["?number=9", "?beside=9"])
def test_a_revision_that_is_not_there_is_not_found(people: People, query: str) -> None:
    page(people, query, status=404)


@pytest.mark.parametrize("query", ["?number=first", "?beside=0"])
def test_what_is_no_number_is_refused(people: People, query: str) -> None:
    assert 'role="alert"' in page(people, query, status=400)


def test_a_bot_without_a_revision_has_a_page_to_be_listed_on(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        Bot.objects.update(active_revision=None)

    assert signed_in(people.vera).get("/bots/").status_code == 200
    page(people, status=404)


def test_the_number_of_queries_does_not_grow_with_the_bots(people: People) -> None:
    def count() -> int:
        with (
            tenant_scope(people.engine.tenant_id),
            CaptureQueriesContext(connection) as captured,
        ):
            for bot in queries.list_bots():
                str(bot.account), [row.instrument for row in bot.bot_instruments.all()]
        return len(captured)

    few = count()
    with tenant_scope(people.engine.tenant_id):
        bot = Bot.objects.select_related("account", "active_revision").get()
        for number in range(4):
            operations.create_bot(
                account=bot.account,
                name=f"Bot {number}",
                instruments=[factories.make_instrument()],
                timeframe_seconds=60,
                params=bot.active_revision.params,
                actor=None,
                now=NOW,
            )

    assert count() == few
