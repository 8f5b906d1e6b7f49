"""Exchange accounts with their keys' standing and their engines' holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tenants.models import ExchangeAccount, ExchangeCredential
from trading.models import Engine, Hold
from trading.queries.feeds import feed_words
from trading.queries.rates import UsedRate, list_rates


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
    return [_view(account) for account in list_accounts()]


def view_account(*, account_id: UUID) -> AccountView:
    """One account with what stands on its row.

    Raises:
        ExchangeAccount.DoesNotExist: not in this workspace.
    """
    return _view(get_account(account_id=account_id))


def _view(account: ExchangeAccount) -> AccountView:
    open_ = Hold.objects.filter(engine__account=account, cleared_at=None)
    engine = Engine.objects.filter(account=account).values_list("id", flat=True).first()
    holds = list(open_.order_by("placed_at", "id"))
    rates = list_rates(account_id=account.id)
    return AccountView(account, credential_of(account), holds, engine, rates)
