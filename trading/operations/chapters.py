"""Starting over on paper: a new chapter of an account's ledger; what was written stays written."""

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import numpy as np
from django.db.models import Sum

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, User
from trading.core.records import ACCOUNT
from trading.engine.names import to_names
from trading.models import EngineSnapshot, LedgerEntry
from trading.operations.accounts import AccountNotFound, why_busy
from trading.operations.funds import deposit_paper_funds
from trading.operations.opening import LEAST_CASH, MOST_CASH

Book = LedgerEntry.Book
ZERO = Decimal(0)


class ResetRefused(Exception):
    """The account may not start over now; one sentence says why."""


def reset_paper(
    *, account_id: uuid.UUID, cash: Decimal, actor: User | None, now: datetime
) -> ExchangeAccount:
    """Close the books of a paper account and begin new ones with ``cash``.

    The result so far moves to a book of its own, and the core forgets what the account had, lost and
    won; orders, fills, positions, decisions and what was learned of the markets stay.

    Raises:
        AccountNotFound: no such account here.
        ResetRefused: it trades live, is out of use, runs or holds something, or ``cash`` cannot be.
    """
    account = ExchangeAccount.objects.select_for_update().filter(id=account_id).first()
    if account is None:
        raise AccountNotFound(f"no account {account_id} in this workspace")
    _refuse(account, cash)
    held = _close_books(account, now=now)
    deposit_paper_funds(account=account, amount=cash, actor=actor, now=now)
    _forget(account, cash)
    tenant_operations.write_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="account.reset",
        subject=str(account),
        before={currency: f"{amount.normalize():f}" for currency, amount in sorted(held.items())},
        after={account.quote_currency: f"{cash.normalize():f}"},
        now=now,
    )
    return account


def _refuse(account: ExchangeAccount, cash: Decimal) -> None:
    if not LEAST_CASH <= cash <= MOST_CASH:
        raise ResetRefused(f"cash: {cash}, accepted is {LEAST_CASH} to {MOST_CASH}")
    if account.mode != ExchangeAccount.Mode.PAPER:
        raise ResetRefused(f"{account} trades live; only a paper account starts over")
    if account.disabled_at is not None:
        raise ResetRefused(f"{account} is disabled; enable it first")
    busy = why_busy(account)
    if busy:
        raise ResetRefused(busy)


def _close_books(account: ExchangeAccount, *, now: datetime) -> Mapping[str, Decimal]:
    """One posting that takes out what there is and what was paid in; what was held, by currency."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    entries = LedgerEntry.objects.filter(account=account, book__in=(Book.ASSETS, Book.CAPITAL))
    for row in entries.values("book", "currency").annotate(total=Sum("amount")).order_by():
        sums[row["currency"]][row["book"]] = row["total"]
    posting = uuid.uuid4()
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            tenant_id=account.tenant_id,
            account=account,
            posting=posting,
            book=book,
            currency=currency,
            amount=amount,
            booked_at=now,
        )
        for currency, booked in sorted(sums.items())
        for book, amount in (
            (Book.ASSETS, -booked[Book.ASSETS]),
            (Book.CAPITAL, -booked[Book.CAPITAL]),
            (Book.CLOSED, booked[Book.ASSETS] + booked[Book.CAPITAL]),
        )
        if amount
    )
    return {currency: booked[Book.ASSETS] for currency, booked in sums.items()}


def _forget(account: ExchangeAccount, cash: Decimal) -> None:
    """The core's account as if it had only just been funded; its markets stay as they are."""
    record = np.zeros(1, ACCOUNT)
    for name in ("cash", "equity", "peak_equity", "day_start_equity"):
        record[name] = float(cash)
    EngineSnapshot.objects.filter(engine__account=account).update(
        account=record.tobytes(), portable=json.dumps(to_names(record[0])).encode()
    )
