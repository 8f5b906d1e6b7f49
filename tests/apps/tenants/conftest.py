"""The people of a workspace: Olga owns, Tom trades, Vera views; Max is from another one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tenants import operations
from tenants.models import ApiKey, Invitation, Membership, Tenant, User
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tests.factories import NOW, make_tenant, make_user


@dataclass
class People:
    """Who knocks at the doors of Acme."""

    acme: Tenant
    others: Tenant
    olga: User
    tom: User
    vera: User
    max: User
    nina: User

    def client(self, name: str) -> Client:
        """A browser in which this person is signed in; nobody is for ``anonymous``."""
        client = Client()
        if name != "anonymous":
            client.force_login(getattr(self, name))
        return client

    def membership(self, name: str) -> Membership:
        """The person's membership in their workspace."""
        with tenant_scope((self.others if name == "max" else self.acme).id):
            return Membership.objects.select_related("user").get(user=getattr(self, name))

    def invite(
        self, email: str, role: Role = Role.VIEWER, *, now: datetime | None = None
    ) -> tuple[Invitation, str]:
        """An invitation of Olga's into Acme, and its link's token."""
        with tenant_scope(self.acme.id):
            return operations.invite_person(
                tenant_id=self.acme.id,
                email=email,
                role=role,
                actor=self.olga,
                lasts=timedelta(days=7),
                now=now or timezone.now(),
            )

    def key(self) -> ApiKey:
        """A new API key of Acme."""
        with tenant_scope(self.acme.id):
            return operations.issue_key(
                tenant_id=self.acme.id, user=self.olga, label="Key", scope="read", days=1, now=NOW
            )[0]


@pytest.fixture
def people(db) -> People:
    olga, tom, vera, stranger, nina = (
        make_user(f"{name}@people.example") for name in ("olga", "tom", "vera", "max", "nina")
    )
    acme, others = make_tenant("acme", owner=olga), make_tenant("others", owner=stranger)
    with tenant_scope(acme.id):
        for user, role in ((tom, Role.TRADER), (vera, Role.VIEWER)):
            operations.add_member(tenant_id=acme.id, user=user, role=role, actor=olga, now=NOW)
    return People(acme, others, olga, tom, vera, stranger, nina)
