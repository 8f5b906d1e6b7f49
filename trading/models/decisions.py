"""Decision: one row for every evaluated bar, also when the answer was no."""

from django.db import models

from tenants.scoping import TenantModel
from trading.core.codes import Reason, Stage
from trading.models.bots import BotRevision
from trading.models.market import Instrument

STAGE_CHOICES = [(stage.value, stage.name.replace("_", " ").lower()) for stage in Stage]
REASON_CHOICES = [(reason.value, reason.name.replace("_", " ").lower()) for reason in Reason]


class Decision(TenantModel):
    """What the core decided on one closed bar and why; ``record`` is the core's own bytes."""

    APPEND_ONLY = True

    revision = models.ForeignKey(BotRevision, on_delete=models.PROTECT, related_name="decisions")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    bar_opened_at = models.DateTimeField()
    stage = models.PositiveSmallIntegerField(choices=STAGE_CHOICES)
    reason = models.PositiveSmallIntegerField(choices=REASON_CHOICES)
    record = models.BinaryField()
    core_hash = models.CharField(max_length=16, help_text="first 16 digits of the core's hash")
    # No foreign key: each would be looked up twice per decision, and the hash covers it.
    chain = models.UUIDField(help_text="the engine whose decisions are chained")
    sequence = models.PositiveBigIntegerField(help_text="1, 2, 3 … within the chain")
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32, help_text="SHA-256 of previous hash and content")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "revision", "instrument", "bar_opened_at"],
                name="decision_once_per_bar",
            ),
            models.UniqueConstraint(fields=["tenant", "chain", "sequence"], name="decision_chain"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-bar_opened_at", "-id"], name="decision_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.bar_opened_at:%Y-%m-%d %H:%M} {self.get_stage_display()}"
