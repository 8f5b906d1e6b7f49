"""Olga owns, Tom trades, Vera views, Max is from another workspace and must see nothing."""

from dataclasses import dataclass

import pytest
from django.test import Client

from tenants import operations as tenant_operations
from tenants.models import User
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tests import factories
from tests.factories import NOW, EngineRows


@dataclass(frozen=True)
class People:
    """One engine and those who may, and may not, see it."""

    engine: EngineRows
    olga: User
    tom: User
    vera: User
    max: User


@pytest.fixture
def people(db: None) -> People:
    """Two workspaces; the first has an engine on the synthetic market."""
    olga, tom, vera, stranger = (
        factories.make_user(f"{name}@example.com") for name in ("olga", "tom", "vera", "max")
    )
    acme = factories.make_tenant("acme", owner=olga)
    factories.make_tenant("other", owner=stranger)
    with tenant_scope(acme.id):
        for user, role in ((tom, Role.TRADER), (vera, Role.VIEWER)):
            tenant_operations.add_member(
                tenant_id=acme.id, user=user, role=role, actor=olga, now=NOW
            )
    engine = factories.make_engine(
        "acme", factories.make_instrument(), venue="synthetic", tenant=acme
    )
    return People(engine, olga, tom, vera, stranger)


def signed_in(user: User) -> Client:
    """A browser of this person."""
    client = Client()
    client.force_login(user)
    return client
