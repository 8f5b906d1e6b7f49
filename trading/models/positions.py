"""Position, LedgerEntry: what is held, and the double entry of every coin that moved."""

import uuid

from django.db import models

from tenants.scoping import TenantModel
from trading.core.codes import ExitReason
from trading.models.bots import Bot
from trading.models.market import Instrument
from trading.models.orders import Fill, choices_of


class Position(TenantModel):
    """A holding of one bot in one instrument, from its first fill until the venue shows it flat."""

    class Side(models.TextChoices):
        LONG = "LONG"
        SHORT = "SHORT"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="positions")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=5, choices=Side)
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    entry_price = models.DecimalField(max_digits=38, decimal_places=18)
    stop_price = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    exit_price = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    fees = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    realized_pnl = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    dust_quantity = models.DecimalField(
        max_digits=38, decimal_places=18, default=0, help_text="left unsold, and written off"
    )
    dust_cost = models.DecimalField(
        max_digits=38, decimal_places=18, default=0, help_text="what it cost; part of the result"
    )
    exit_reason = models.PositiveSmallIntegerField(choices=choices_of(ExitReason), default=0)
    opened_at = models.DateTimeField(help_text="market time")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="market time")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "bot", "instrument"],
                condition=models.Q(closed_at=None),
                name="position_one_open",
            ),
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="position_quantity"),
            models.CheckConstraint(
                condition=models.Q(dust_quantity=0) | models.Q(closed_at__isnull=False),
                name="position_dust_once_closed",
            ),
        ]
        indexes = [models.Index(fields=["bot", "-opened_at"], name="position_by_time")]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity.normalize():f} {self.instrument}"


class LedgerEntry(TenantModel):
    """One line of a posting; the lines of a posting sum to zero in every currency."""

    APPEND_ONLY = True

    class Book(models.TextChoices):
        ASSETS = "ASSETS", "What the account holds"
        CAPITAL = "CAPITAL", "Paid in or out"
        TRADING = "TRADING", "Given and taken in trades"
        FEES = "FEES", "Paid to the venue"
        CLOSED = "CLOSED", "Result of chapters that were closed"
        DUST = "DUST", "Left of trades: the account has it, no position does"

    account = models.ForeignKey(
        "tenants.ExchangeAccount", on_delete=models.PROTECT, related_name="ledger_entries"
    )
    posting = models.UUIDField()
    book = models.CharField(max_length=8, choices=Book)
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=38, decimal_places=18)
    fill = models.ForeignKey(
        Fill, on_delete=models.PROTECT, null=True, blank=True, related_name="entries"
    )
    booked_at = models.DateTimeField(help_text="market time")

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "fill", "currency"],
                condition=models.Q(book="DUST"),
                name="ledger_dust_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(book="DUST", fill=None), name="ledger_dust_of_a_fill"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "currency", "book"], name="ledger_balance"),
            models.Index(fields=["posting"], name="ledger_posting"),
        ]

    def __str__(self) -> str:
        return f"{self.book} {self.amount.normalize():f} {self.currency}"
