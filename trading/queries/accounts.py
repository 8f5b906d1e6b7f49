"""Exchange accounts with their keys' standing and their engines' holds."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tenants.models import ExchangeAccount, ExchangeCredential
from trading.models import Engine, Hold
from trading.queries.feeds import feed_words
from trading.queries.rates import UsedRate, rates_of


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as a page or a program is told of it."""

    account: ExchangeAccount
    credential: ExchangeCredential | None
    holds: Sequence[Hold]
    engine: UUID | None
    rates: Sequence[UsedRate]

    @property
    def feed(self) -> str:
        """Where its market data comes from."""
        return feed_words(self.account.venue)

    @property
    def has_key(self) -> bool:
        """Whether a key is kept that could be used."""
        kept = self.credential
        return kept is not None and kept.state != ExchangeCredential.State.DISABLED

    @property
    def is_being_checked(self) -> bool:
        """Whether the venue was asked and has not answered."""
        return self.credential is not None and self.credential.check_asked_at is not None

    @property
    def takes_keys(self) -> bool:
        """Whether the venue is one that orders can be sent to."""
        return self.account.venue in ExchangeAccount.WITH_KEYS

    @property
    def has_tiers(self) -> bool:
        """Whether its venue grants more to some than to others."""
        return self.account.venue in ExchangeAccount.WITH_TIERS


def list_accounts() -> list[ExchangeAccount]:
    """The workspace's accounts."""
    listed = ExchangeAccount.objects.select_related("credential")
    return list(listed.order_by("venue", "label", "id"))


def get_account(*, account_id: UUID) -> ExchangeAccount:
    """One of them.

    Raises:
        ExchangeAccount.DoesNotExist: not in this workspace.
    """
    found: ExchangeAccount = ExchangeAccount.objects.select_related("credential").get(id=account_id)
    return found


def credential_of(account: ExchangeAccount) -> ExchangeCredential | None:
    """The account's key, or None."""
    try:
        return account.credential
    except ExchangeCredential.DoesNotExist:
        return None


def view_accounts() -> list[AccountView]:
    """Every account with what stands on its row of the page."""
    return _views(list_accounts())


def page_accounts(*, after: UUID | None, most: int) -> list[AccountView]:
    """Some of them, in the same order, after one of them; none after one that is not there."""
    listed = list_accounts()
    if after is not None:
        ids = [account.id for account in listed]
        listed = listed[ids.index(after) + 1 :] if after in ids else []
    return _views(listed[:most])


def view_account(*, account_id: UUID) -> AccountView:
    """One account with what stands on its row.

    Raises:
        ExchangeAccount.DoesNotExist: not in this workspace.
    """
    (found,) = _views([get_account(account_id=account_id)])
    return found


def _views(accounts: Sequence[ExchangeAccount]) -> list[AccountView]:
    ids = [account.id for account in accounts]
    engines = dict(Engine.objects.filter(account__in=ids).values_list("account", "id"))
    holds: dict[UUID, list[Hold]] = defaultdict(list)
    open_ = Hold.objects.filter(engine__account__in=ids, cleared_at=None).select_related("engine")
    for hold in open_.order_by("placed_at", "id"):
        holds[hold.engine.account_id].append(hold)
    rates = rates_of(ids)
    return [
        AccountView(
            one, credential_of(one), holds[one.id], engines.get(one.id), rates.get(one.id, [])
        )
        for one in accounts
    ]
