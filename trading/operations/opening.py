"""Exchange accounts: opened on paper with an engine, renamed, put out of use and taken back."""

import re
import uuid
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, ExchangeCredential, User
from tenants.models.keys import check_venue
from trading.exchanges.replay import InvalidSpeed, parse_speed
from trading.operations.accounts import AccountNotFound, why_busy
from trading.operations.credentials import disable_account_key
from trading.operations.engines import create_engine
from trading.operations.funds import deposit_paper_funds
from trading.operations.instruments import ensure_invented_pairs, is_invented

MOST_ACCOUNTS = 100
LEAST_CASH, MOST_CASH = Decimal(1), Decimal(10**12)
LONGEST_NAME = 60


class InvalidAccount(ValueError):
    """What was asked for cannot be; names the field, the value and what is accepted."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field, self.words = field, words


def open_account(
    *,
    tenant_id: uuid.UUID,
    venue: str,
    name: str,
    currency: str,
    cash: Decimal,
    speed: str,
    actor: User | None,
    now: datetime,
) -> ExchangeAccount:
    """Make an account with play money and an engine that stands still; ``speed`` is of replayed bars.

    Raises:
        InvalidAccount: a field cannot be.
    """
    _check_venue(venue)
    label, quote = _free_name(name), _currency(venue, currency)
    if not LEAST_CASH <= cash <= MOST_CASH:
        raise InvalidAccount("cash", f"{cash}, accepted is {LEAST_CASH} to {MOST_CASH}")
    try:
        parse_speed(speed)
    except InvalidSpeed as error:
        raise InvalidAccount("speed", str(error)) from None
    if ExchangeAccount.objects.count() >= MOST_ACCOUNTS:
        raise InvalidAccount("name", f"a workspace has at most {MOST_ACCOUNTS} accounts")
    account = ExchangeAccount.objects.create(
        tenant_id=tenant_id, venue=venue, label=label, quote_currency=quote
    )
    ensure_invented_pairs(venue=venue)
    after = {"venue": venue, "name": label, "currency": quote, "mode": account.mode}
    _audit(account, "open", {}, after, actor=actor, now=now)
    deposit_paper_funds(account=account, amount=cash, actor=actor, now=now)
    create_engine(account=account, speed=speed)
    return account


def rename_account(
    *, account_id: uuid.UUID, name: str, actor: User | None, now: datetime
) -> ExchangeAccount:
    """Call an account something else.

    Raises:
        AccountNotFound: no such account here. InvalidAccount: the name is taken, or none.
    """
    account = _get(account_id)
    before = account.label
    account.label = _free_name(name, besides=account.id)
    account.save(update_fields=["label"])
    _audit(account, "rename", {"name": before}, {"name": account.label}, actor=actor, now=now)
    return account


def disable_account(*, account_id: uuid.UUID, actor: User | None, now: datetime) -> ExchangeAccount:
    """Put an account out of use, and forget its key; what it did stays on record.

    Raises:
        AccountNotFound: no such account here.
        InvalidAccount: it is out of use already, its engine runs, or it holds something.
    """
    account = _get(account_id)
    if account.disabled_at is not None:
        raise InvalidAccount("account", f"{account} is disabled already")
    busy = why_busy(account)
    if busy:
        raise InvalidAccount("account", busy)
    kept = ExchangeCredential.objects.filter(account=account)
    if kept.exclude(state=ExchangeCredential.State.DISABLED).exists():
        disable_account_key(account_id=account.id, actor=actor, now=now)
    account.disabled_at = now
    account.save(update_fields=["disabled_at"])
    _audit(account, "disable", {}, {"mode": account.mode}, actor=actor, now=now)
    return account


def enable_account(*, account_id: uuid.UUID, actor: User | None, now: datetime) -> ExchangeAccount:
    """Take an account into use again; its key must be entered anew.

    Raises:
        AccountNotFound: no such account here. InvalidAccount: it is in use.
    """
    account = _get(account_id)
    if account.disabled_at is None:
        raise InvalidAccount("account", f"{account} is in use already")
    account.disabled_at = None
    account.save(update_fields=["disabled_at"])
    _audit(account, "enable", {}, {"mode": account.mode}, actor=actor, now=now)
    return account


def _get(account_id: uuid.UUID) -> ExchangeAccount:
    account: ExchangeAccount | None = (
        ExchangeAccount.objects.select_for_update().filter(id=account_id).first()
    )
    if account is None:
        raise AccountNotFound(f"no account {account_id} in this workspace")
    return account


def _check_venue(venue: str) -> None:
    try:
        check_venue(venue)
    except ValidationError as error:
        words = error.messages[0].removeprefix("venue ")
        raise InvalidAccount("venue", words) from None


def _free_name(name: str, *, besides: uuid.UUID | None = None) -> str:
    label = " ".join(name.split())
    if not 1 <= len(label) <= LONGEST_NAME or not label.isprintable():
        raise InvalidAccount("name", f"{label!r}, accepted is 1 to {LONGEST_NAME} characters")
    taken = ExchangeAccount.objects.filter(label__iexact=label)
    if (taken if besides is None else taken.exclude(id=besides)).exists():
        raise InvalidAccount("name", f"{label!r} is taken; an account's name is its own")
    return label


def _currency(venue: str, currency: str) -> str:
    quote = currency.strip().upper()
    if not re.fullmatch(r"[A-Z0-9]{2,16}", quote, re.ASCII):
        raise InvalidAccount("currency", f"{currency!r}, accepted is a code such as USD or EUR")
    if is_invented(venue) and quote != "USD":
        raise InvalidAccount("currency", f"{quote!r}, invented markets are quoted in USD only")
    return quote


def _audit(
    account: ExchangeAccount,
    act: str,
    before: dict[str, str],
    after: dict[str, str],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    tenant_operations.write_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action=f"account.{act}",
        subject=str(account),
        before=before,
        after=after,
        now=now,
    )
