"""What becomes of an account's engine when its key is good, bad or gone."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, ExchangeCredential, User
from trading.operations.engines import hold_for_key, lift_for_key


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What a venue said of one version of a key; ``problem`` is empty when it may trade."""

    credential_id: uuid.UUID
    version: int
    rights: Sequence[str]
    problem: str


def record_check(report: KeyReport, *, now: datetime) -> bool:
    """Note it, and hold or lift the account's engine; False when another key is kept meanwhile."""
    state = ExchangeCredential.State
    won = tenant_operations.note_check(
        credential_id=report.credential_id,
        version=report.version,
        state=state.BAD if report.problem else state.GOOD,
        detail=report.problem,
        rights=sorted(report.rights),
        now=now,
    )
    if won:
        account = ExchangeAccount.objects.get(credential__id=report.credential_id)
        if report.problem:
            hold_for_key(account=account, reason=report.problem, now=now)
        else:
            lift_for_key(account=account, now=now)
    return won


def disable_account_key(*, account_id: uuid.UUID, actor: User | None, now: datetime) -> None:
    """Forget the key. A running engine keeps its copy for exits and stops, and enters nothing.

    Raises:
        CredentialNotFound: the account has no key, or it is disabled.
    """
    row = tenant_operations.disable_key(account_id=account_id, actor=actor, now=now)
    hold_for_key(account=row.account, reason="the account's key was disabled", now=now)
