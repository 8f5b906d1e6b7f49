"""The scope of a tenant: opened once, refused when missing, never mixed."""

import asyncio
import threading
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from tenants.models import Membership, User
from tenants.scoping import (
    ScopeConflict,
    ScopeMissing,
    current_tenant_id,
    is_staff_scope,
    staff_scope,
    tenant_scope,
)
from tests.factories import NOW, make_tenant

READS = {
    "list": lambda q: list(q.all()),
    "values": lambda q: list(q.values("id")),
    "get": lambda q: q.get(),
    "first": lambda q: q.first(),
    "count": lambda q: q.count(),
    "exists": lambda q: q.exists(),
    "aggregate": lambda q: q.aggregate(),
    "iterator": lambda q: list(q.iterator()),
    "in_bulk": lambda q: q.in_bulk(),
    "update": lambda q: q.update(role="OWNER"),
    "delete": lambda q: q.all().delete(),
    "create many": lambda q: q.bulk_create([Membership()]),
    "get or create": lambda q: q.get_or_create(role="OWNER"),
}


@pytest.mark.parametrize("use", READS.values(), ids=READS)
def test_a_query_without_a_scope_is_an_error_and_not_an_empty_answer(db, use):
    with pytest.raises(ScopeMissing, match="Membership: open tenant_scope"):
        use(Membership.objects)


def test_a_query_may_be_built_anywhere_and_runs_in_the_scope(db):
    tenant = make_tenant("acme")
    query = Membership.objects.filter(role="OWNER")

    with tenant_scope(tenant.id):
        assert query.count() == 1


def test_the_scope_of_the_same_tenant_may_be_opened_again(db):
    tenant = make_tenant("acme")

    with tenant_scope(tenant.id):
        with tenant_scope(str(tenant.id)):
            assert current_tenant_id() == tenant.id
        assert Membership.objects.count() == 1

    assert current_tenant_id() is None


def test_the_scope_of_another_tenant_may_not(db):
    acme, other = make_tenant("acme"), make_tenant("other")

    with (
        tenant_scope(acme.id),
        pytest.raises(ScopeConflict, match=str(other.id)),
        tenant_scope(other.id),
    ):
        pytest.fail("opened")


def test_one_scope_after_the_other_shows_each_its_own(db):
    tenants = [make_tenant(slug) for slug in ("acme", "other")]

    for tenant in tenants:
        with tenant_scope(tenant.id):
            assert [m.tenant_id for m in Membership.objects.all()] == [tenant.id]


@pytest.mark.parametrize("wrong", ["", "acme", None, 7])
def test_what_is_no_tenant_opens_nothing(db, wrong):
    with pytest.raises(ValueError), tenant_scope(wrong):
        pytest.fail("opened")


def test_an_unknown_tenant_has_no_rows(db):
    make_tenant("acme")

    with tenant_scope(uuid.uuid4()):
        assert Membership.objects.count() == 0


def test_staff_sees_every_tenant_and_only_inside_its_scope(db):
    make_tenant("acme")
    make_tenant("other")

    with staff_scope():
        assert is_staff_scope()
        assert Membership.objects.count() == 2

    with pytest.raises(ScopeMissing):
        Membership.objects.count()


def test_a_new_thread_has_no_scope(db):
    seen: list[object] = []

    with tenant_scope(uuid.uuid4()):
        thread = threading.Thread(target=lambda: seen.append(current_tenant_id()))
        thread.start()
        thread.join()

    assert seen == [None]


def test_a_scope_handed_to_another_threads_connection_is_missed_there_and_not_believed(
    fresh_database,
):
    """asgiref copies the context into its threads, but not the transaction."""
    tenant = make_tenant("acme")

    def count() -> int:
        try:
            return Membership.objects.count()
        finally:
            connections.close_all()

    def count_in_own_scope() -> int:
        with tenant_scope(tenant.id):
            return count()

    async def ask(function) -> int:
        return await sync_to_async(function, thread_sensitive=False)()

    with tenant_scope(tenant.id):
        with pytest.raises(ScopeMissing, match="another thread"):
            asyncio.run(ask(count))
        assert asyncio.run(ask(count_in_own_scope)) == 1


def test_rows_of_no_tenant_need_no_scope(db):
    User.objects.create_user("Someone@Example.com", "secret-word-1", date_joined=NOW)

    assert User.objects.get().email == "someone@example.com"
