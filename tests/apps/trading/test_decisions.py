"""Why did it trade, or not: the list with its filters and pages, and one decision gate by gate."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW
from trading.core.codes import Reason, Stage
from trading.decision_views import ROWS_SHOWN
from trading.filters import DecisionFilter
from trading.models import Bot, BotRevision, Decision
from trading.queries import decisions as queries

MINUTE = timedelta(minutes=1)


def page(people: People, **asked: str) -> str:
    answer = signed_in(people.vera).get("/decisions/", asked)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def one(people: People, decision: Decision) -> str:
    answer = signed_in(people.vera).get(f"/decisions/{decision.id}/")
    assert answer.status_code == 200
    return answer.content.decode()


def write_many(people: People, count: int) -> list[Decision]:
    return [rows.write_decision(people.engine, at=NOW + k * MINUTE) for k in range(count)]


def with_least_score(people: People, value: float) -> None:
    """The bot's revision asked for this score; revisions never change, so it is another one."""
    with tenant_scope(people.engine.tenant_id):
        bot = Bot.objects.select_related("active_revision").get()
        former = bot.active_revision
        params = {**former.params}
        params["confluence"] = {**params["confluence"], "min_score": value}
        bot.active_revision = BotRevision.objects.create(
            tenant_id=bot.tenant_id, bot=bot, number=2, timeframe_seconds=60, params=params,
            params_hash="0" * 64, created_at=NOW,
        )  # fmt: skip
        bot.save()


@pytest.mark.parametrize("name", ["olga", "tom", "vera"])
def test_every_member_reads_decisions(people: People, name: str) -> None:
    decision = rows.write_decision(people.engine)
    client = signed_in(getattr(people, name))

    for path in ("", f"{decision.id}/", f"{decision.id}/chart/"):
        assert client.get(f"/decisions/{path}").status_code == 200


def test_strangers_and_max_read_none(people: People) -> None:
    decision = rows.write_decision(people.engine)

    for path in ("", f"{decision.id}/", f"{decision.id}/chart/"):
        answer = Client().get(f"/decisions/{path}")
        assert (answer.status_code, "/accounts/login/" in answer["Location"]) == (302, True)
    client = signed_in(people.max)
    assert "No decision yet" in client.get("/decisions/").content.decode()
    for path in (f"{decision.id}/", f"{decision.id}/chart/"):
        assert client.get(f"/decisions/{path}").status_code == 404


def test_pages_hold_every_decision_once_newest_first(people: People) -> None:
    written = write_many(people, ROWS_SHOWN * 2 + 3)
    with tenant_scope(people.engine.tenant_id):
        seen, asked = [], {}
        for _ in range(4):
            answer = signed_in(people.vera).get("/decisions/", asked)
            seen += [told.row.id for told in answer.context["decisions"]]
            if not answer.context["older"]:
                break
            asked = {"before": answer.context["older"]}

    assert seen == [row.id for row in reversed(written)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"stage": "entry"}, 1),
        ({"reason": "no_vote"}, 2),
        ({"reason": "no_vote", "stage": "entry"}, 0),
        ({"pair": "BTC/USD"}, 4),
        ({"pair": "ETH/USD"}, 0),
        ({"since": "2026-01-05T12:02Z"}, 2),
        ({"until": "2026-01-05T12:01Z"}, 1),
    ],
)
def test_a_filter_leaves_what_it_asks_for(people: People, asked: dict, expected: int) -> None:
    rows.write_decision(people.engine, stage=Stage.ENTRY, reason=Reason.NONE)
    for minute, reason in enumerate((Reason.NO_VOTE, Reason.NO_VOTE, Reason.HELD), start=1):
        rows.write_decision(
            people.engine, at=NOW + minute * MINUTE, stage=Stage.VOTES, reason=reason
        )

    shown = page(people, **asked)

    assert shown.count('class="text-nowrap">2026-') == expected
    assert ("Nothing fits this filter" in shown) == (expected == 0)


def test_the_filter_of_a_bot_holds_on_the_next_page(people: People) -> None:
    write_many(people, ROWS_SHOWN + 1)
    with tenant_scope(people.engine.tenant_id):
        bot = str(Bot.objects.get().id)

    answer = signed_in(people.vera).get("/decisions/", {"bot": bot, "stage": "confluence"})

    assert f"?bot={bot}&amp;stage=confluence&amp;before=" in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("stage", "nowhere", "One of warmup, holding"),
        ("reason", "whim", "was whim"),
        ("since", "yesterday", "A date or time in UTC"),
        ("bot", "7", "The id of a bot"),
        ("before", "12", "was not given by a page of this list"),
        ("before", "9" * 30 + "-1", "was not given by a page of this list"),
    ],
)
def test_a_wrong_filter_is_refused_by_its_field(
    people: People, field: str, value: str, words: str
) -> None:
    answer = signed_in(people.vera).get("/decisions/", {field: value})

    assert answer.status_code == 400
    assert words in answer.content.decode().replace("&#x27;", "'")


@given(st.text(max_size=40))
def test_no_text_for_a_place_breaks_the_filter(text: str) -> None:
    form = DecisionFilter(parse_one(urlencode({"before": text})))

    assert form.is_valid() or "before" in form.errors


def parse_one(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def test_the_number_of_queries_does_not_grow_with_the_rows(people: People) -> None:
    client = signed_in(people.vera)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/decisions/")
        return len(captured)

    write_many(people, 2)
    few = count()
    for k in range(2, 30):
        rows.write_decision(people.engine, at=NOW + k * MINUTE)

    assert count() == few


def test_the_list_walks_an_index_and_sorts_nothing(people: People) -> None:
    write_many(people, 3)
    with tenant_scope(people.engine.tenant_id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        found = Decision.objects.order_by("-bar_opened_at", "-id")[:51]
        plan = found.explain()

    assert "decision_by_time" in plan
    assert "Sort" not in plan


def test_a_refused_decision_tells_the_smallest_change(people: People) -> None:
    with_least_score(people, 0.321)
    decision = rows.write_decision(people.engine)

    shown = one(people, decision)

    assert "The votes were too weak." in shown
    assert "Gate 3 of 25" in shown
    assert "0.198 more" in shown
    assert "<code>confluence.min_score</code> at 0.1229 instead of 0.321" in shown
    assert "23 gates were not asked" in shown


def test_a_setting_is_not_named_when_it_was_not_the_limit(people: People) -> None:
    decision = rows.write_decision(people.engine)

    shown = one(people, decision)

    assert "0.198 more" in shown
    assert "instead of" not in shown


def test_an_entry_says_that_no_gate_refused(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        stored = rows.write_decision(people.engine, stage=Stage.ENTRY, reason=Reason.NONE)

    shown = one(people, stored)

    assert "Entered: every gate said yes." in shown


def test_a_decision_of_an_older_core_still_has_its_page(people: People) -> None:
    newer = rows.write_decision(people.engine)
    with tenant_scope(people.engine.tenant_id):
        old = Decision.objects.create(
            tenant_id=newer.tenant_id, revision=newer.revision, instrument=newer.instrument,
            bar_opened_at=NOW - MINUTE, stage=Stage.VOTES, reason=Reason.NO_VOTE,
            record=b"of another layout", core_hash="1" * 16, chain=newer.chain, sequence=2,
            previous_hash=newer.hash, hash=newer.hash,
        )  # fmt: skip

    assert "An earlier core; no details." in one(people, old)
    assert f"/decisions/{newer.id}/" in one(people, old)
    assert f"/decisions/{old.id}/" in one(people, newer)


def test_the_chart_ends_with_what_was_decided(people: People) -> None:
    midnight = NOW.replace(hour=0)
    first, last = (rows.write_decision(people.engine, at=midnight + k * MINUTE) for k in (0, 1))

    bars = signed_in(people.vera).get(f"/decisions/{first.id}/chart/").json()["bars"]

    stamps = [bar["open_ms"] for bar in bars]
    assert stamps[-1] == int(last.bar_opened_at.timestamp() * 1000)
    assert int(first.bar_opened_at.timestamp() * 1000) in stamps
    assert len(stamps) == queries.BARS_SHOWN


def test_the_dashboard_leads_to_the_decision(people: People) -> None:
    decision = rows.write_decision(people.engine)

    shown = signed_in(people.vera).get("/").content.decode()

    assert f'href="/decisions/{decision.id}/"' in shown


@pytest.mark.parametrize(
    ("name", "sees"),
    [("olga", True), ("tom", False), ("vera", False)],
)
def test_the_menu_shows_what_a_member_may_open(people: People, name: str, sees: bool) -> None:
    shown = signed_in(getattr(people, name)).get("/decisions/").content.decode()

    assert ('href="/audit/"' in shown, 'href="/keys/"' in shown) == (sees, sees)
    assert shown.count('aria-current="page"') == 1
