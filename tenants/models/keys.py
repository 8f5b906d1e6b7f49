"""ExchangeAccount: a tenant's login at a venue."""

import uuid

from django.db import models

from tenants.scoping import TenantModel


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

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.CharField(max_length=32, choices=Venue)
    label = models.CharField(max_length=60)
    mode = models.CharField(max_length=5, choices=Mode, default=Mode.PAPER)
    quote_currency = models.CharField(max_length=16, default="USD")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "venue", "label"], name="account_label"),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.get_venue_display()})"
