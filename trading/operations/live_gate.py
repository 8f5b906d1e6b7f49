"""What an account must have on record before it sends real orders to a real venue."""

from datetime import datetime, timedelta

from django.conf import settings

from tenants.models import ExchangeAccount, ExchangeCredential
from trading.queries.evidence import list_evidence

State = ExchangeCredential.State
KEY_FRESH_FOR = timedelta(hours=48)


def needed_for_any(account: ExchangeAccount, *, now: datetime) -> list[str]:
    """What nobody may override; a sentence each."""
    if account.is_paper_only:
        return ["through ccxt comes market data only, no order can be sent"]
    credential = ExchangeCredential.objects.filter(account=account).first()
    is_play = account.venue in ExchangeAccount.PLAY_VENUES
    if not is_play and not settings.ALLOW_LIVE:
        return [
            "this installation sends real orders to the venue simulator only; its operator "
            "allows others by NOVA_ALLOW_LIVE=yes"
        ]
    if credential is None or credential.state == State.DISABLED:
        return ["it has no key"]
    if is_play and credential.state != State.BAD:
        return []
    if credential.state != State.GOOD:
        return [f"its key is not known to be good ({credential.detail or 'not checked yet'})"]
    if credential.checked_at is None or now - credential.checked_at > KEY_FRESH_FOR:
        return ["its key was not checked in the last 48 hours"]
    return []


def missing_evidence(account: ExchangeAccount, *, now: datetime) -> list[str]:
    """What an owner may override with a reason; a sentence each. Play money needs none."""
    if not account.asks_proof:
        return []
    found = list_evidence(account, now=now)
    if not found:
        return ["it has no bot with an active revision"]
    return [words for one in found for words in one.missing]


def words_of_evidence(account: ExchangeAccount, *, now: datetime) -> list[str]:
    """What is on record, as the audit log keeps it."""
    told = []
    for one in list_evidence(account, now=now):
        run = f"backtest {one.backtest.number}" if one.backtest else "no backtest"
        paper = one.paper
        told.append(f"{one.revision}: {run}, {paper.days} days and {paper.fills} fills on paper")
    return told
