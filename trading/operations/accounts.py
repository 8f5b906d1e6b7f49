"""Accounts: from paper to real orders and back, what guards them while no engine does, their tier."""

import uuid
from datetime import datetime

from django.core.exceptions import ValidationError

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from trading.models import Bot, Engine, EngineSnapshot, OrderIntent, Position
from trading.operations.live_gate import missing_evidence, needed_for_any, words_of_evidence
from trading.queries.evidence import SWITCHED

Mode = ExchangeAccount.Mode
LEAST_REASON = 10  # characters
UNSETTLED = (OrderIntent.State.PLANNED, OrderIntent.State.WORKING, OrderIntent.State.UNKNOWN)
AT_REST = (Engine.Observed.STOPPED, Engine.Observed.FINISHED, Engine.Observed.FAILED)


class AccountNotFound(Exception):
    """No such account in this workspace."""


class ModeRefused(Exception):
    """The account may not change its mode now; one sentence says why."""


def switch_mode(
    *, account_id: uuid.UUID, mode: str, override: str, actor: User | None, now: datetime
) -> ExchangeAccount:
    """Give the account and its bots another mode; ``override`` is an owner's reason to do without
    a passed backtest and a paper period, and stands in the audit log.

    Raises:
        AccountNotFound: no such account here.
        ModeRefused: it runs, holds something, or what live trading needs is missing.
    """
    account = ExchangeAccount.objects.select_for_update().filter(id=account_id).first()
    if account is None:
        raise AccountNotFound(f"no account {account_id} in this workspace")
    if mode not in tuple(Mode):
        raise ModeRefused(f"mode: {mode!r}, accepted is {', '.join(Mode)}")
    before = account.mode
    if mode == before:
        raise ModeRefused(f"{account} is in {before.lower()} mode already")
    busy = why_busy(account)
    if busy:
        raise ModeRefused(busy)
    proof = _prove(account, override=override, now=now) if mode == Mode.LIVE else {}
    account.mode = mode
    account.save(update_fields=["mode"])
    Bot.objects.filter(account=account, stage=before).update(stage=Bot.Stage(mode))
    # The core goes on where it stood; the book of resting orders was the other mode's.
    EngineSnapshot.objects.filter(engine__account=account).update(venue=b"")
    tenant_operations.write_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action=SWITCHED,
        subject=str(account),
        before={"mode": before},
        after={"mode": mode, "account": str(account.id), **proof},
        now=now,
    )
    return account


class ProtectionRefused(Exception):
    """The account cannot have this protection; one sentence says why."""


def choose_protection(
    *, account_id: uuid.UUID, protection: str, actor: User | None, now: datetime
) -> ExchangeAccount:
    """Choose what guards an account from its engine's next start on.

    Raises:
        AccountNotFound: no such account here.
        ProtectionRefused: no such protection, or its venue has none of it.
    """
    return _choose("protection", protection, account_id=account_id, actor=actor, now=now)


class TierRefused(Exception):
    """The account cannot have this tier; one sentence says why."""


def choose_tier(
    *, account_id: uuid.UUID, tier: str, actor: User | None, now: datetime
) -> ExchangeAccount:
    """Say which standing the account has at its venue; it holds from its engine's next start on.

    Raises:
        AccountNotFound: no such account here.
        TierRefused: no such tier, or its venue has none.
    """
    return _choose("tier", tier, account_id=account_id, actor=actor, now=now)


CHOICES = {
    "protection": (ExchangeAccount.Protection, ProtectionRefused),
    "tier": (ExchangeAccount.Tier, TierRefused),
}


def _choose(
    name: str, word: str, *, account_id: uuid.UUID, actor: User | None, now: datetime
) -> ExchangeAccount:
    choices, refused = CHOICES[name]
    account = ExchangeAccount.objects.select_for_update().filter(id=account_id).first()
    if account is None:
        raise AccountNotFound(f"no account {account_id} in this workspace")
    if word not in choices:
        raise refused(f"{name}: {word!r}, accepted is {', '.join(choices)}")
    before = getattr(account, name)  # one of the model's choices, by its field's name
    setattr(account, name, word)
    try:
        account.validate_constraints()
    except ValidationError as error:
        raise refused(f"{name}: {word!r}: {' '.join(error.messages)}") from None
    account.save(update_fields=[name])
    tenant_operations.write_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action=f"account.{name}",
        subject=str(account),
        before={name: before},
        after={name: word},
        now=now,
    )
    return account


def why_busy(account: ExchangeAccount) -> str:
    """What an account does or holds that somebody must end first; empty: nothing."""
    engine = Engine.objects.select_for_update().filter(account=account).first()
    if engine is not None and (
        engine.desired != Engine.Desired.STOPPED or engine.observed not in AT_REST
    ):
        return f"{account}: stop its engine first"
    if Position.objects.filter(bot__account=account, closed_at=None).exists():
        return f"{account}: close its positions first"
    if OrderIntent.objects.filter(bot__account=account, state__in=UNSETTLED).exists():
        return f"{account}: an order has no end yet; let its engine settle it first"
    return ""


def _prove(account: ExchangeAccount, *, override: str, now: datetime) -> dict[str, object]:
    """What is on record, and what is missing and was overridden, as the audit log keeps it."""
    needed = needed_for_any(account, now=now)
    if needed:
        raise ModeRefused(f"{account} stays on paper: {'; '.join(needed)}")
    missing = missing_evidence(account, now=now)
    if missing and len(override.strip()) < LEAST_REASON:
        raise ModeRefused(
            f"{account} stays on paper: {'; '.join(missing)}; an owner may override this with a "
            f"reason of at least {LEAST_REASON} characters"
        )
    evidence = words_of_evidence(account, now=now)
    return {
        "override": override.strip() if missing else "",
        "missing": missing,
        "evidence": evidence,
    }
