"""The admin site: for operators only, every screen opens, what they change is on record."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.models import AuditEntry, ExchangeAccount, Membership, Tenant, User
from tenants.scoping import tenant_scope
from tenants.security import tenant_models
from tests.factories import PASSWORD, make_tenant, make_user
from tests.tenant_rows import Rows

SCREENS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def operator(people) -> Client:
    user = make_user("operator@platform.example")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    return client


def _address(model, *parts) -> str:
    return "/".join(["/admin", model._meta.app_label, model._meta.model_name, *map(str, parts), ""])


def test_nobody_gets_in_without_signing_in_where_everybody_does(people):
    answer = people.client("anonymous").get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2F"


def test_a_password_alone_is_never_accepted_at_the_admin_site_itself(people):
    User.objects.filter(pk=people.olga.pk).update(is_staff=True)

    answer = Client().post("/admin/login/", {"username": people.olga.email, "password": PASSWORD})

    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2Flogin%2F"


@pytest.mark.parametrize("persona", ["olga", "nina"])
def test_members_who_are_no_operators_do_not_get_in(people, persona):
    client = people.client(persona)

    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/tenants/tenant/", follow=True).status_code == 403


@pytest.mark.parametrize("model", SCREENS, ids=lambda m: m._meta.label)
def test_every_list_and_every_row_opens(operator, people, model):
    with_rows = Rows(people.acme)
    if model in tenant_models():
        row = with_rows.get(model)
    else:
        for other in tenant_models():
            with_rows.get(other)
        row = model._default_manager.using("staff").first()

    listed = operator.get(_address(model))
    searched = operator.get(_address(model), {"q": "a"})

    assert listed.status_code == 200
    assert searched.status_code == 200
    if row is not None:
        assert operator.get(_address(model, row.pk, "change")).status_code == 200


def test_every_list_names_the_workspace_of_a_row_and_finds_rows_by_it(operator, people):
    fill_all(people.acme)
    for model in tenant_models():
        found = operator.get(_address(model), {"q": people.acme.slug}).context["cl"]
        none = operator.get(_address(model), {"q": "no-such-workspace"}).context["cl"]

        assert found.result_count > 0, model
        assert none.result_count == 0, model
        assert "tenant" in found.list_display, model


def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(operator, people):
    def ask(model) -> int:
        with CaptureQueriesContext(connections["staff"]) as asked:
            assert operator.get(_address(model)).status_code == 200
        return len(asked)

    fill_all(people.acme)
    few = {model: ask(model) for model in SCREENS}
    for number in range(3):
        owner = make_user(f"owner{number}@more.example")
        fill_all(make_tenant(f"more{number}", owner=owner))

    assert {model: ask(model) for model in SCREENS} == few


def fill_all(tenant):
    made = Rows(tenant)
    for model in tenant_models():
        made.get(model)


@pytest.mark.parametrize(
    "model", [m for m in tenant_models() if m is not Membership], ids=lambda m: m._meta.label
)
def test_rows_that_trade_or_account_cannot_be_changed(operator, people, model):
    row = Rows(people.acme).get(model)

    answers = [
        operator.post(_address(model, *parts)).status_code
        for parts in (("add",), (row.pk, "change"), (row.pk, "delete"))
    ]

    assert answers == [403, 403, 403]


def test_an_operators_change_of_a_workspace_is_in_its_log(operator, people):
    answer = operator.post(
        _address(Tenant, people.acme.pk, "change"),
        {"name": "Acme", "status": "SUSPENDED", "status_reason": "a leaked key"},
    )

    assert answer.status_code == 302
    with tenant_scope(people.acme.id):
        entry = AuditEntry.objects.latest("sequence")
        assert Tenant.objects.get().status == "SUSPENDED"
    assert (entry.action, entry.actor_label) == (
        "operator.tenant.change",
        "operator@platform.example",
    )
    assert entry.before == {"status": "ACTIVE", "status_reason": ""}
    assert entry.after == {"status": "SUSPENDED", "status_reason": "a leaked key"}


def test_an_operator_suspends_no_workspace_without_telling_its_members_why(operator, people):
    answer = operator.post(
        _address(Tenant, people.acme.pk, "change"), {"name": "Acme", "status": "SUSPENDED"}
    )

    assert "Say why; its members read it." in answer.content.decode()
    with tenant_scope(people.acme.id):
        assert Tenant.objects.get().status == "ACTIVE"


def test_an_operator_adds_changes_and_removes_a_member_on_record(operator, people):
    new = {
        "user": people.nina.pk,
        "tenant": people.acme.pk,
        "role": "VIEWER",
        "created_at_0": "2026-01-05",
        "created_at_1": "12:00:00",
    }
    operator.post(_address(Membership, "add"), new)
    nina = people.membership("nina")
    operator.post(_address(Membership, nina.pk, "change"), {"role": "TRADER"})
    changed = people.membership("nina").role
    operator.post(_address(Membership, nina.pk, "delete"), {"post": "yes"})

    with tenant_scope(people.acme.id):
        acts = list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))[-3:]
    assert changed == "TRADER"
    assert acts == [f"operator.membership.{verb}" for verb in ("add", "change", "remove")]


def test_members_removed_in_bulk_are_on_record_one_by_one(operator, people):
    chosen = [people.membership(name).pk for name in ("tom", "vera")]

    operator.post(
        _address(Membership),
        {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
    )

    with tenant_scope(people.acme.id):
        assert Membership.objects.count() == 1
        assert AuditEntry.objects.filter(action="operator.membership.remove").count() == 2


def test_the_secret_of_a_second_factor_is_shown_to_no_operator(operator, people):
    factor = Authenticator.objects.create(
        user=people.tom, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"}
    )

    page = operator.get(_address(Authenticator, factor.pk, "change")).content.decode()

    assert "tom@people.example" in page
    assert "JBSWY3DPEHPK3PXP" not in page


def test_an_operator_takes_a_lost_second_factor_away(operator, people):
    factor = Authenticator.objects.create(user=people.tom, type=Authenticator.Type.TOTP, data={})

    operator.post(_address(Authenticator, factor.pk, "delete"), {"post": "yes"})

    assert not Authenticator.objects.exists()


def test_accounts_are_on_paper_unless_somebody_says_otherwise(people):
    account = Rows(people.acme)

    with tenant_scope(people.acme.id):
        made = ExchangeAccount.objects.create(
            tenant=account.tenant, venue="kraken", label="Main", quote_currency="USD"
        )

    assert made.mode == "PAPER"
