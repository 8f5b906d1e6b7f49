"""OrderIntent, Order, Fill: the journal of what was meant, sent and done."""

import uuid
from enum import IntEnum

from django.db import models

from tenants.scoping import TenantModel
from trading.core.codes import ExitReason, Liquidity, Purpose
from trading.models.bots import Bot
from trading.models.engines import Engine
from trading.models.market import Instrument


class Side(models.TextChoices):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"


def choices_of(codes: type[IntEnum]) -> list[tuple[int, str]]:
    """Django choices of one of the core's enums."""
    return [(code.value, code.name.replace("_", " ").lower()) for code in codes]


class OrderIntent(TenantModel):
    """Committed before anything is sent; at most one venue order carries its client order id."""

    class State(models.TextChoices):
        PLANNED = "PLANNED", "Planned (may have been sent)"
        WORKING = "WORKING"
        UNKNOWN = "UNKNOWN"
        DONE = "DONE"
        REFUSED = "REFUSED"
        EXPIRED = "EXPIRED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="intents")
    epoch = models.PositiveBigIntegerField()
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="intents")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    seq = models.PositiveBigIntegerField()
    client_order_id = models.UUIDField()
    purpose = models.PositiveSmallIntegerField(choices=choices_of(Purpose))
    side = models.CharField(max_length=4, choices=Side)
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    stop_price = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    limit_price = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True)
    replaces_seq = models.PositiveBigIntegerField(default=0)
    exit_reason = models.PositiveSmallIntegerField(choices=choices_of(ExitReason), default=0)
    state = models.CharField(max_length=8, choices=State, default=State.PLANNED)
    state_reason = models.CharField(max_length=200, blank=True)
    planned_at = models.DateTimeField(help_text="market time of the decision")
    deadline_at = models.DateTimeField(help_text="market time after which it is not sent")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="a limit ends then")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client_order_id"], name="intent_client_order_id"),
            models.UniqueConstraint(
                fields=["tenant", "engine", "bot", "instrument", "seq"], name="intent_seq_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="intent_quantity_positive"
            ),
        ]
        indexes = [
            models.Index(
                fields=["engine", "seq"],
                name="intent_open",
                condition=models.Q(state__in=["PLANNED", "WORKING", "UNKNOWN"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.side} {self.quantity.normalize():f}"


class Order(TenantModel):
    """What the venue made of an intent; an intent may need several orders."""

    class Status(models.TextChoices):
        WORKING = "WORKING"
        FILLED = "FILLED"
        CANCELLED = "CANCELLED"
        REJECTED = "REJECTED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    intent = models.ForeignKey(OrderIntent, on_delete=models.PROTECT, related_name="orders")
    venue_order_id = models.CharField(max_length=64)
    status = models.CharField(max_length=9, choices=Status, default=Status.WORKING)
    filled_quantity = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="wall time")
    acknowledged_at = models.DateTimeField(
        null=True, blank=True, help_text="wall time; empty: the answer to the order was not read"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "intent", "venue_order_id"], name="order_venue_id_once"
            ),
            models.CheckConstraint(
                condition=models.Q(acknowledged_at=None)
                | models.Q(acknowledged_at__gte=models.F("sent_at")),
                name="order_acknowledged_after_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.venue_order_id} {self.status}"


class Fill(TenantModel):
    """One execution at the venue; booked exactly once."""

    APPEND_ONLY = True

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills")
    account = models.ForeignKey(
        "tenants.ExchangeAccount", on_delete=models.PROTECT, related_name="+"
    )
    venue_trade_id = models.CharField(max_length=64)
    side = models.CharField(max_length=4, choices=Side)
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    taken = models.DecimalField(
        max_digits=38, decimal_places=18, default=0,
        help_text="of the quantity, what a fee in the base asset left not held",
    )  # fmt: skip
    price = models.DecimalField(max_digits=38, decimal_places=18)
    fee = models.DecimalField(max_digits=38, decimal_places=18)
    fee_currency = models.CharField(max_length=16)
    liquidity = models.PositiveSmallIntegerField(choices=choices_of(Liquidity))
    filled_at = models.DateTimeField(help_text="market time")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "account", "venue_trade_id"], name="fill_trade_once"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0, price__gt=0), name="fill_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(taken__gte=0, taken__lt=models.F("quantity")), name="fill_taken"
            ),
        ]
        indexes = [models.Index(fields=["account", "filled_at"], name="fill_by_time")]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity.normalize():f} at {self.price.normalize():f}"
