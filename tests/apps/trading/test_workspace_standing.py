"""A workspace that lapsed or is suspended: its engines are told to enter nothing, and when it ends."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tenants import operations as tenant_operations
from tenants.models import AuditEntry, Tenant
from tenants.scoping import tenant_scope
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW
from trading.models import EngineCommand, Hold
from trading.queries.holds import lifted_by
from trading.tasks import follow_standings


def run(act: str, *words: str, tenant: str = "acme") -> Any:
    from io import StringIO

    out = StringIO()
    call_command("workspace", act, *words, "--tenant", tenant, "--json", stdout=out)
    return json.loads(out.getvalue())


def ordered(people: People) -> list[str]:
    with tenant_scope(people.engine.tenant_id):
        commands = EngineCommand.objects.order_by("requested_at", "id")
        return [command.kind for command in commands]


def obey(people: People) -> None:
    """What the engine would do: every hold it was told to place or lift."""
    with tenant_scope(people.engine.tenant_id):
        for command in EngineCommand.objects.filter(finished_at=None).order_by("requested_at"):
            act, _, cause = command.kind.partition("_")
            if act == "HOLD":
                Hold.objects.create(
                    tenant_id=command.tenant_id, engine_id=command.engine_id, kind="BILLING",
                    cause=cause.lower(), reason=command.reason, placed_at=NOW,
                )  # fmt: skip
            else:
                Hold.objects.filter(cause=cause.lower()).update(cleared_at=NOW)
            EngineCommand.objects.filter(id=command.id).update(finished_at=NOW)


def test_a_suspended_workspace_is_told_on_record_and_its_engine_at_once(people: People) -> None:
    told = run("suspend", "--reason", "a leaked key")

    assert told == {
        "workspace": "acme",
        "status": "SUSPENDED",
        "reason": "a leaked key",
        "orders": 1,
    }
    with tenant_scope(people.engine.tenant_id):
        entry = AuditEntry.objects.get(action="tenant.standing")
        command = EngineCommand.objects.get()
    assert entry.after == {"status": "SUSPENDED", "reason": "a leaked key"}
    assert command.kind == "HOLD_SUSPENDED"
    assert command.reason == "the workspace is suspended: a leaked key"


def test_what_the_admin_site_changed_the_next_round_orders_and_orders_once(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        Tenant.objects.update(status="WINDING_DOWN", status_reason="unpaid")

    rounds = [follow_standings() for _ in range(3)]

    assert rounds == [1, 0, 0]
    assert ordered(people) == ["HOLD_LAPSED"]


def test_an_active_workspace_gets_its_entries_back_by_itself(people: People) -> None:
    run("lapse", "--reason", "unpaid")
    obey(people)
    assert follow_standings() == 0

    with tenant_scope(people.engine.tenant_id):
        Tenant.objects.update(status="ACTIVE", status_reason="")
    rounds = [follow_standings() for _ in range(2)]
    obey(people)

    assert rounds == [1, 0]
    assert ordered(people) == ["HOLD_LAPSED", "LIFT_LAPSED"]
    assert follow_standings() == 0


def test_a_hold_that_was_not_obeyed_yet_is_taken_back_too(people: People) -> None:
    run("lapse", "--reason", "unpaid")

    run("activate")

    assert ordered(people) == ["HOLD_LAPSED", "LIFT_LAPSED"]


def test_from_lapsed_to_suspended_the_new_hold_comes_before_the_old_one_goes(
    people: People,
) -> None:
    run("lapse", "--reason", "unpaid")
    obey(people)

    run("suspend", "--reason", "a leaked key")
    assert follow_standings() == 1

    with tenant_scope(people.engine.tenant_id):
        waiting = EngineCommand.objects.filter(finished_at=None)
        kinds = [c.kind for c in waiting.order_by("requested_at", "id")]
    assert kinds == ["HOLD_SUSPENDED", "LIFT_LAPSED"]


def test_another_workspace_hears_nothing(people: People) -> None:
    run("suspend", "--reason", "a leaked key", tenant="other")

    assert ordered(people) == []
    page = signed_in(people.vera).get("/").content.decode()
    assert "Standing of the workspace" not in page


@pytest.mark.parametrize(
    ("act", "words", "code", "told"),
    [
        (("suspend", "--reason", " "), "acme", 4, "status_reason: Say why"),
        (("suspend", "--reason", "x" * 121), "acme", 4, "status_reason: Ensure this value has"),
        (("activate",), "acme", 4, "status: acme is ACTIVE already"),
        (("show",), "amce", 2, "there is none; known are acme"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    people: People, act: tuple[str, ...], words: str, code: int, told: str
) -> None:
    with pytest.raises(CommandError, match=told) as refused:
        run(*act, tenant=words)

    assert refused.value.returncode == code
    assert run("show")["status"] == "ACTIVE"


def test_a_status_that_only_the_end_of_a_workspace_gives_is_no_standing(people: People) -> None:
    with (
        tenant_scope(people.engine.tenant_id),
        pytest.raises(tenant_operations.StandingRefused, match="'CLOSED', accepted is ACTIVE"),
    ):
        tenant_operations.change_standing(
            tenant_id=people.engine.tenant_id, status="CLOSED", reason="", actor=None, now=NOW
        )


def test_a_hold_names_what_alone_lifts_it(people: People) -> None:
    run("lapse", "--reason", "unpaid")
    obey(people)
    run("suspend", "--reason", "a leaked key")
    follow_standings()
    obey(people)

    with tenant_scope(people.engine.tenant_id):
        told = {hold.cause: lifted_by(hold) for hold in Hold.objects.all()}
        standing = Hold.objects.get(cleared_at=None)
    assert told["lapsed"] == "a paid subscription lifts it"
    assert told["suspended"] == "the operator of this installation lifts it"
    assert standing.reason == "the workspace is suspended: a leaked key"


def test_the_schema_tells_a_program_why(people: People) -> None:
    run("lapse", "--reason", "unpaid")

    told = signed_in(people.olga).get(f"/api/v1/tenants/{people.engine.tenant_id}").json()

    assert (told["status"], told["status_reason"]) == ("WINDING_DOWN", "unpaid")
