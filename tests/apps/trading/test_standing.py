"""The status page: the workspace's own part of what the doctor looks at."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from trading.models import Alert, Engine, LedgerProof


def page(people: People, name: str = "vera") -> str:
    answer = signed_in(getattr(people, name)).get("/status/")
    assert answer.status_code == 200
    return answer.content.decode()


def beat(people: People, seconds_ago: int) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.filter(id=people.engine.engine_id).update(
            observed="RUNNING", heartbeat_at=timezone.now() - timedelta(seconds=seconds_ago)
        )


def test_a_workspace_that_is_well_says_so(people: People) -> None:
    beat(people, 1)

    shown = page(people)

    assert "all is well" in shown
    assert re.search(r"Paper running, \d+ s ago", shown)
    assert "The first daily proof has not been made yet." in shown
    assert "No breaker has tripped." in shown


def test_the_worst_comes_first_and_is_counted(people: People) -> None:
    beat(people, 300)
    rows.write_position(people.engine)

    shown = page(people)

    assert "2 to look at" in shown
    assert "Paper should run and is silent for 30" in shown
    assert "has no stop at the venue" in shown


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, r"4\d s"), (3600, "60 minutes"), (3 * 3600, "3 hours")]
)
def test_silence_is_told_in_a_unit_of_its_length(people: People, seconds: int, words: str) -> None:
    beat(people, seconds)

    assert re.search(f"Paper should run and is silent for {words}", page(people))


def test_proofs_and_alerts_are_listed(people: People) -> None:
    beat(people, 1)
    with tenant_scope(people.engine.tenant_id):
        common = {"tenant_id": people.engine.tenant_id, "engine_id": people.engine.engine_id}
        Alert.objects.create(**common, cause="clock", words="5 s off <b>", raised_at=timezone.now())
        LedgerProof.objects.create(**common, proved_at=timezone.now(), fills=7)

    shown = page(people)

    assert "0 differences in 7 fills" in shown
    assert "<strong>Clock.</strong> 5 s off &lt;b&gt;" in shown


def test_another_workspace_sees_none_of_it(people: People) -> None:
    beat(people, 300)
    rows.write_position(people.engine)

    shown = page(people, "max")

    assert "nothing runs yet" in shown
    assert "Nothing to look at yet" in shown


def test_nobody_sees_it_without_signing_in(people: People) -> None:
    assert Client().get("/status/").status_code == 302
