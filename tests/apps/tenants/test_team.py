"""Workspaces and their members: naming, joining, changing, leaving."""

import threading
import time

import pytest
from django.db import connections

from tenants import operations, queries
from tenants.models import AuditEntry, Membership, Tenant
from tenants.roles import GRANTED, Permission, Role, is_granted, may_give
from tenants.scoping import staff_scope, tenant_scope
from tests.apps.step_up import step_up
from tests.factories import NOW, make_tenant, make_user


def _log(tenant: Tenant) -> list[tuple[int, str, str]]:
    with tenant_scope(tenant.id):
        entries = AuditEntry.objects.order_by("sequence")
        return [(e.sequence, e.action, e.actor_label) for e in entries]


def test_somebody_new_names_a_workspace_and_owns_it(people):
    client = people.client("nina")

    answer = client.post("/welcome/", {"name": "Nina & Sons"})

    assert (answer.status_code, answer.url) == (302, "/")
    (workspace,) = queries.memberships(user_id=people.nina.pk)
    assert (workspace.name, workspace.slug, workspace.role) == ("Nina & Sons", "nina-sons", "OWNER")
    assert client.get("/team/").status_code == 200


def test_who_may_invite_nobody_reads_why(people):
    answer = people.client("vera").post("/team/", {"email": "x@y.example", "role": "VIEWER"})

    assert answer.status_code == 403
    assert "Your role in this workspace does not cover this" in answer.content.decode()


def test_a_second_workspace_of_the_same_name_gets_another_short_name(people):
    people.client("nina").post("/welcome/", {"name": "Acme"})

    (workspace,) = queries.memberships(user_id=people.nina.pk)
    assert workspace.slug == "acme-2"


@pytest.mark.parametrize("name", ["", "   ", "!!!", "x" * 81])
def test_a_name_nobody_can_read_is_refused(people, name):
    answer = people.client("nina").post("/welcome/", {"name": name})

    assert answer.status_code == 200
    assert "text-danger" in answer.content.decode()
    assert queries.memberships(user_id=people.nina.pk) == []


def test_a_name_is_shown_as_text_whatever_it_holds(people):
    people.client("nina").post("/welcome/", {"name": "<script>alert(1)</script>"})

    page = people.client("nina").get("/team/").content.decode()

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_a_person_of_two_workspaces_goes_from_one_to_the_other(people):
    second = make_tenant("second", owner=people.olga)
    client = people.client("olga")
    first_page = client.get("/team/").content.decode()

    client.post("/workspace/", {"tenant": str(second.id)})

    assert "Team of Acme" in first_page
    assert "Team of Second" in client.get("/team/").content.decode()


def test_a_workspace_in_the_session_is_left_when_the_membership_ends(people):
    client = people.client("vera")
    client.post("/workspace/", {"tenant": str(people.acme.id)})
    with tenant_scope(people.acme.id):
        people.membership("vera").delete()

    answer = client.get("/team/")

    assert (answer.status_code, answer.url) == (302, "/welcome/")


def test_a_closed_workspace_is_entered_by_nobody(people):
    with staff_scope():
        Tenant.objects.filter(id=people.acme.id).update(status=Tenant.Status.CLOSED)

    assert people.client("olga").get("/team/").url == "/welcome/"


def test_an_owner_changes_and_removes_a_member(people):
    client = people.client("olga")
    vera = people.membership("vera")

    client.post(f"/team/{vera.pk}/", {"role": "TRADER"})
    changed = people.membership("vera").role
    client.post(f"/team/{vera.pk}/", {"role": "REMOVE"})

    assert changed == "TRADER"
    assert queries.memberships(user_id=people.vera.pk) == []
    assert _log(people.acme)[-2:] == [
        (4, "member.role", "olga@people.example"),
        (5, "member.remove", "olga@people.example"),
    ]


def test_another_owner_is_made_only_by_who_gave_the_second_factor_a_moment_ago(people):
    client, tom = people.client("olga"), people.membership("tom")

    asked = client.post(f"/team/{tom.pk}/", {"role": "OWNER"})
    before = people.membership("tom").role
    step_up(client, people.olga)
    client.post(f"/team/{tom.pk}/", {"role": "OWNER"})

    assert (asked.status_code, asked.url) == (302, "/accounts/2fa/")
    assert (before, people.membership("tom").role) == ("TRADER", "OWNER")


@pytest.mark.parametrize("role", ["VIEWER", "REMOVE"])
def test_the_last_owner_stays(people, role):
    client = people.client("olga")

    page = client.post(f"/team/{people.membership('olga').pk}/", {"role": role}, follow=True)

    assert "keeps at least one owner" in page.content.decode()
    assert people.membership("olga").role == "OWNER"


def test_an_owner_may_go_when_another_one_stays(people):
    with tenant_scope(people.acme.id):
        tom, olga = people.membership("tom"), people.membership("olga")
        operations.change_role(membership=tom, role=Role.OWNER, actor=people.olga, now=NOW)
        operations.remove_member(membership=olga, actor=people.tom, now=NOW)

    assert people.client("olga").get("/team/").url == "/welcome/"


def test_a_role_that_does_not_exist_is_refused(people):
    client = people.client("olga")

    page = client.post(f"/team/{people.membership('tom').pk}/", {"role": "GOD"}, follow=True)

    assert "is not a role" in page.content.decode()
    assert people.membership("tom").role == "TRADER"


def test_each_workspace_numbers_its_log_from_one(people):
    assert [number for number, _, _ in _log(people.acme)] == [1, 2, 3]
    assert [number for number, _, _ in _log(people.others)] == [1]


def test_the_log_is_numbered_by_workspace_also_for_operators(people):
    with staff_scope():
        operations.write_audit(
            tenant_id=people.others.id,
            actor=None,
            action="operator.note",
            subject="x" * 300,
            before={},
            after={},
            now=NOW,
        )

    assert _log(people.others)[-1] == (2, "operator.note", "system")


def test_an_act_and_its_entry_stand_or_fall_together(people):
    def add_and_fail() -> None:
        with tenant_scope(people.acme.id):
            operations.add_member(
                tenant_id=people.acme.id, user=people.nina, role=Role.VIEWER, actor=None, now=NOW
            )
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        add_and_fail()

    assert queries.memberships(user_id=people.nina.pk) == []
    assert len(_log(people.acme)) == 3


def test_two_owners_cannot_both_leave_at_the_same_time(fresh_database):
    """The second waits for the first to be done, and then is the last one."""
    tenant = make_tenant("acme")
    with tenant_scope(tenant.id):
        first = Membership.objects.get()
        second = operations.add_member(
            tenant_id=tenant.id, user=make_user("b@b.example"), role=Role.OWNER, actor=None, now=NOW
        )
    told: list[str] = []

    def leave_too() -> None:
        try:
            with tenant_scope(tenant.id):
                operations.remove_member(membership=second, actor=None, now=NOW)
        except operations.LastOwner:
            told.append("last owner")
        finally:
            connections.close_all()

    other = threading.Thread(target=leave_too)
    with tenant_scope(tenant.id):
        operations.remove_member(membership=first, actor=None, now=NOW)
        other.start()
        _wait_until_somebody_waits_for_a_lock()
    other.join(timeout=20)

    assert told == ["last owner"]


def _wait_until_somebody_waits_for_a_lock() -> None:
    for _ in range(500):
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
            if cursor.fetchone():
                return
        time.sleep(0.02)
    pytest.fail("nobody waits")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_grants_what_the_table_says(role, permission):
    expected = {
        Role.OWNER: {"view", "trade", "manage"},
        Role.TRADER: {"view", "trade"},
        Role.VIEWER: {"view"},
    }

    assert is_granted(role, permission) == (permission in expected[role])
    assert GRANTED.keys() == set(Role)


@pytest.mark.parametrize("giver", Role)
@pytest.mark.parametrize("role", Role)
def test_nobody_gives_a_role_above_their_own_and_only_owners_give_any(giver, role):
    assert may_give(giver, role) == (giver is Role.OWNER)
    assert not may_give(giver, role) or GRANTED[role] <= GRANTED[giver]
