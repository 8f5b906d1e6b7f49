"""Two workspaces with an account at the simulator each; Acme's key is sealed."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from tenants import operations
from tenants.models import ExchangeAccount, ExchangeCredential
from tenants.scoping import tenant_scope
from tests.factories import NOW, make_tenant

KEY, SECRET = "canary-key-0001-KEYS", "Y2FuYXJ5LXNlY3JldC1zZWFsZWQ="
OTHER_KEY, OTHER_SECRET = "canary-key-0002-SPIN", "Y2FuYXJ5LXNlY3JldC1yb3RhdGVk"


@dataclass(frozen=True)
class Kept:
    """An account and its workspace."""

    tenant_id: UUID
    account_id: UUID

    def row(self) -> ExchangeCredential:
        with tenant_scope(self.tenant_id):
            return ExchangeCredential.objects.select_related("data_key", "account").get(
                account_id=self.account_id
            )

    def seal(self, key: str = KEY, secret: str = SECRET) -> ExchangeCredential:
        with tenant_scope(self.tenant_id):
            return operations.seal_key(
                account_id=self.account_id, key=key, secret=secret, actor=None, now=NOW
            )


def make_account(slug: str, *, venue: str = "simulator", mode: str = "PAPER") -> Kept:
    tenant = make_tenant(slug)
    with tenant_scope(tenant.id):
        account = ExchangeAccount.objects.create(
            tenant=tenant, venue=venue, label="Play", mode=mode
        )
    return Kept(tenant.id, account.id)


@pytest.fixture
def sealed(db) -> Kept:
    kept = make_account("acme")
    kept.seal()
    return kept


@pytest.fixture
def stranger(db) -> Kept:
    return make_account("max")
