"""ExchangeAccount: a tenant's login at a venue; ExchangeCredential: its sealed key; DataKey: the lock."""

import re
import uuid

from django.core.exceptions import ValidationError
from django.db import models

from tenants.scoping import TenantModel

CCXT = "ccxt:"  # followed by ccxt's id of a venue: market data for paper trading
PAPER_ONLY = "Through ccxt comes market data for paper trading only; no order can be sent."
WITH_SWITCH = ("kraken", "simulator")  # venues that have a dead-man switch
NO_SWITCH = "This venue has no dead-man switch; Kraken has."
NO_TIERS = "This venue has no tiers; Kraken has."


def check_venue(venue: str) -> None:
    """Refuse what is no venue.

    Raises:
        ValidationError: it is none.
    """
    known = ExchangeAccount.Venue.values
    if venue not in known and not re.fullmatch(r"ccxt:[a-z0-9_]{1,27}", venue):
        raise ValidationError(
            f"venue {venue!r}: accepted is {', '.join(known)} or ccxt:<id>, such as ccxt:kucoin"
        )


class ExchangeAccount(TenantModel):
    """One account at one venue; paper unless a person enabled live trading."""

    class Venue(models.TextChoices):
        KRAKEN = "kraken", "Kraken"
        COINBASE = "coinbase", "Coinbase"
        SIMULATOR = "simulator", "Venue simulator"
        SIMULATOR_COINBASE = "simulator_coinbase", "Venue simulator as Coinbase"
        REPLAY = "replay", "Replay of stored bars"
        SYNTHETIC = "synthetic", "Synthetic market"

    PLAY_VENUES = frozenset({Venue.SIMULATOR, Venue.SIMULATOR_COINBASE})  # of play money

    class Mode(models.TextChoices):
        PAPER = "PAPER"
        LIVE = "LIVE"

    class Protection(models.TextChoices):
        STOPS = "STOPS", "Resting stops while holding"
        SWITCH = "SWITCH", "The same, and the venue's dead-man switch while only entries rest"

    class Tier(models.TextChoices):
        STARTER = "STARTER"
        INTERMEDIATE = "INTERMEDIATE"
        PRO = "PRO"

    WITH_KEYS = (  # where orders can be sent
        Venue.KRAKEN,
        Venue.COINBASE,
        Venue.SIMULATOR,
        Venue.SIMULATOR_COINBASE,
    )
    WITH_TIERS = (Venue.KRAKEN, Venue.SIMULATOR)
    CURVE_KEYS = frozenset({Venue.COINBASE, Venue.SIMULATOR_COINBASE})  # whose secrets are PEM

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.CharField(
        max_length=32,
        validators=[check_venue],
        help_text="kraken, coinbase, simulator, simulator_coinbase, replay, synthetic or ccxt:<id>",
    )
    label = models.CharField(max_length=60)
    mode = models.CharField(max_length=5, choices=Mode, default=Mode.PAPER)
    quote_currency = models.CharField(max_length=16, default="USD")
    protection = models.CharField(
        max_length=6,
        choices=Protection,
        default=Protection.STOPS,
        help_text="what guards it while no engine does",
    )
    tier = models.CharField(
        max_length=12,
        choices=Tier,
        default=Tier.STARTER,
        help_text="its standing at Kraken, which decides how much may be asked; the venue does not tell",
    )
    disabled_at = models.DateTimeField(null=True, blank=True, help_text="out of use since")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "venue", "label"], name="account_label"),
            models.CheckConstraint(
                condition=models.Q(protection="STOPS") | models.Q(venue__in=WITH_SWITCH),
                name="account_switch_where_there_is_one",
                violation_error_message=NO_SWITCH,
            ),
            models.CheckConstraint(
                condition=models.Q(tier="STARTER") | models.Q(venue__in=("kraken", "simulator")),
                name="account_tier_where_there_are_some",
                violation_error_message=NO_TIERS,
            ),
            models.CheckConstraint(
                condition=~models.Q(venue__startswith=CCXT, mode="LIVE"),
                name="account_by_ccxt_on_paper",
                violation_error_message=PAPER_ONLY,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.get_venue_display()})"

    def get_venue_display(self) -> str:
        """The venue as people call it."""
        names = dict(self.Venue.choices)
        return names.get(self.venue) or f"{self.venue.removeprefix(CCXT)} through ccxt"

    @property
    def is_real(self) -> bool:
        """Whether its orders are for real money."""
        return self.mode == self.Mode.LIVE and self.venue not in self.PLAY_VENUES

    @property
    def has_switch(self) -> bool:
        """Whether its venue has a dead-man switch."""
        return self.venue in WITH_SWITCH

    @property
    def asks_proof(self) -> bool:
        """Whether its bots must have proved themselves before it sends orders: not for play money."""
        return self.venue not in self.PLAY_VENUES

    @property
    def is_paper_only(self) -> bool:
        """Whether no order can be sent there."""
        return self.venue.startswith(CCXT)


class DataKey(TenantModel):
    """A tenant's own key of the vault, wrapped with a KEK that is never in the database."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(help_text="the highest one seals")
    kek_id = models.CharField(max_length=16, help_text="which KEK opens it")
    wrapped = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="data_key_number"),
        ]

    def __str__(self) -> str:
        return f"data key {self.number}"


class ExchangeCredential(TenantModel):
    """The key of one account, sealed; a rotation makes a new version in place."""

    class State(models.TextChoices):
        UNCHECKED = "UNCHECKED", "Not checked yet"
        GOOD = "GOOD", "May trade, cannot withdraw"
        BAD = "BAD", "Refused"
        DISABLED = "DISABLED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.PROTECT, related_name="credential"
    )
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    sealed = models.BinaryField(help_text="empty once disabled")
    former_data_key = models.ForeignKey(
        DataKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    former_version = models.PositiveIntegerField(default=0, help_text="0: none is kept")
    former_sealed = models.BinaryField(
        default=b"", help_text="the last good key, until this one is known to be good"
    )
    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of venue and key: one key serves one account"
    )
    last_four = models.CharField(max_length=4, help_text="how the key ends")
    sealed_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.UNCHECKED)
    detail = models.CharField(max_length=300, blank=True, help_text="what the last check told")
    rights = models.JSONField(default=list, blank=True, help_text="as the venue told them")
    checked_at = models.DateTimeField(null=True, blank=True)
    check_asked_at = models.DateTimeField(null=True, blank=True, help_text="a check is due")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "fingerprint"], name="credential_once"),
        ]

    def __str__(self) -> str:
        return f"key …{self.last_four} of {self.account}"
