"""Play money: the only deposits this platform books itself."""

import uuid
from datetime import datetime
from decimal import Decimal

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from trading.models import LedgerEntry


class NotAPaperAccount(Exception):
    """Funds of a live account are booked from the venue's own ledger only."""


def deposit_paper_funds(
    *, account: ExchangeAccount, amount: Decimal, actor: User | None, now: datetime
) -> None:
    """Book a deposit in the account's quote currency.

    Raises:
        NotAPaperAccount: the account trades live, and not at our own simulator.
        ValueError: the amount is not above zero.
    """
    is_play = account.venue in ExchangeAccount.PLAY_VENUES
    if account.mode != ExchangeAccount.Mode.PAPER and not is_play:
        raise NotAPaperAccount(f"{account} trades live; paper funds cannot be paid in")
    if amount <= 0:
        raise ValueError(f"amount: must be above 0, was {amount}")
    posting = uuid.uuid4()
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            tenant_id=account.tenant_id,
            account=account,
            posting=posting,
            book=book,
            currency=account.quote_currency,
            amount=signed,
            booked_at=now,
        )
        for book, signed in (
            (LedgerEntry.Book.ASSETS, amount),
            (LedgerEntry.Book.CAPITAL, -amount),
        )
    )
    tenant_operations.write_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="funds.deposit",
        subject=f"account {account.label}",
        before={},
        after={"amount": str(amount), "currency": account.quote_currency},
        now=now,
    )
