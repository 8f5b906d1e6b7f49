"""Alert, ForeignOrder: what a person should look at, and orders of an account that are not ours."""

import uuid

from django.db import models

from tenants.scoping import TenantModel
from trading.models.engines import Engine


class Alert(TenantModel):
    """A breaker that tripped; written with the hold, or with the parking, that it tells of."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="alerts")
    cause = models.CharField(max_length=40)
    words = models.CharField(max_length=300)
    raised_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["engine", "-raised_at"], name="alert_newest")]

    def __str__(self) -> str:
        return f"{self.cause}: {self.words}"


class ForeignOrder(TenantModel):
    """A working order of the account that no engine of ours placed; it is shown and never touched."""

    class Side(models.TextChoices):
        BUY = "BUY"
        SELL = "SELL"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="foreign_orders")
    venue_order_id = models.CharField(max_length=64)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=Side)
    quantity = models.DecimalField(
        max_digits=38, decimal_places=18, help_text="that may still fill; 0: not told in base units"
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "engine", "venue_order_id"], name="foreign_order_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity.normalize():f} {self.symbol} ({self.venue_order_id})"
