"""Engine, its commands, holds and memory: one leader per exchange account and how it is told."""

import uuid

from django.conf import settings
from django.db import models

from tenants.scoping import TenantModel


class Engine(TenantModel):
    """The engine of one exchange account: what is wanted, what is seen, and the fence (epoch)."""

    class Desired(models.TextChoices):
        RUNNING = "RUNNING"
        STOPPED = "STOPPED"

    class Observed(models.TextChoices):
        STOPPED = "STOPPED"
        STARTING = "STARTING"
        RUNNING = "RUNNING"
        FINISHED = "FINISHED", "Finished (no more bars)"
        FAILED = "FAILED"
        SILENT = "SILENT", "Silent (no heartbeat)"
        PARKED = "PARKED", "Parked (crashed too often)"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.OneToOneField(
        "tenants.ExchangeAccount", on_delete=models.PROTECT, related_name="engine"
    )
    desired = models.CharField(max_length=8, choices=Desired, default=Desired.STOPPED)
    observed = models.CharField(max_length=8, choices=Observed, default=Observed.STOPPED)
    detail = models.CharField(max_length=300, blank=True, help_text="why it is in this state")
    epoch = models.PositiveBigIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    priced_at = models.DateTimeField(
        null=True, blank=True, help_text="when a price between bars was heard last"
    )
    core_hash = models.CharField(max_length=64, blank=True)
    speed = models.CharField(
        max_length=12, default="60", help_text="replayed market seconds per second, or max"
    )
    replay_from = models.DateTimeField(null=True, blank=True)
    replay_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # What changes a key waits for FOR KEY SHARE, which the journal's fence is; a heartbeat does not.
            models.UniqueConstraint(fields=["tenant", "id", "epoch"], name="engine_epoch_is_key"),
        ]

    def __str__(self) -> str:
        return f"engine of {self.account}"


class EngineSnapshot(TenantModel):
    """State of the core and of the paper book, written with the rows it belongs to.

    A market's part is a row of its own, see ``MarketSnapshot``.
    """

    engine = models.OneToOneField(Engine, on_delete=models.PROTECT, related_name="snapshot")
    sequence = models.PositiveBigIntegerField(help_text="messages handled so far")
    core_hash = models.CharField(max_length=64)
    layout_hash = models.CharField(max_length=64)
    account = models.BinaryField()
    venue = models.BinaryField()
    portable = models.BinaryField(help_text="the account, by names: survives a change of the core")
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"snapshot of {self.engine} at {self.sequence}"


class MarketSnapshot(TenantModel):
    """The core's record of one market, whole; what later commits changed of it is ``MarketChanges``."""

    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="market_snapshots")
    market = models.PositiveIntegerField(help_text="its number in the engine")
    sequence = models.PositiveBigIntegerField(help_text="messages handled when it was written")
    number = models.PositiveBigIntegerField(help_text="of the commit that wrote it")
    record = models.BinaryField(help_text="its words that are not zero, see trading.ledger.words")
    portable = models.BinaryField(help_text="what survives a change of the core, by names")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "engine", "market"], name="market_snapshot_once"
            ),
        ]

    def __str__(self) -> str:
        return f"snapshot of market {self.market} of {self.engine} at {self.sequence}"


class MarketChanges(TenantModel):
    """What one commit changed of the markets it did not write whole; forgotten when all are."""

    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="market_changes")
    number = models.PositiveBigIntegerField(help_text="of the commit, counted by its engine")
    changes = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "engine", "number"], name="market_changes_once"
            ),
        ]

    def __str__(self) -> str:
        return f"changes {self.number} of {self.engine}"


class EngineCommand(TenantModel):
    """A person's order to an engine; picked up by the leader, finished once."""

    class Kind(models.TextChoices):
        PAUSE = "PAUSE"
        RESUME = "RESUME"
        CLOSE_ALL = "CLOSE_ALL"
        KILL = "KILL"
        REVIVE = "REVIVE"
        HOLD_KEY = "HOLD_KEY", "Hold for the exchange key"
        LIFT_KEY = "LIFT_KEY", "Lift the hold for the exchange key"
        HOLD_LAPSED = "HOLD_LAPSED", "Hold for the lapsed workspace"
        LIFT_LAPSED = "LIFT_LAPSED", "Lift the hold for the lapsed workspace"
        HOLD_SUSPENDED = "HOLD_SUSPENDED", "Hold for the suspended workspace"
        LIFT_SUSPENDED = "LIFT_SUSPENDED", "Lift the hold for the suspended workspace"
        RECONCILE = "RECONCILE", "Look at the account now"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="commands")
    kind = models.CharField(max_length=14, choices=Kind)
    reason = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=80)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "engine", "idempotency_key"], name="command_key_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["engine", "requested_at"],
                name="command_unfinished",
                condition=models.Q(finished_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.engine}"


class Hold(TenantModel):
    """A stored reason not to enter; exits and stops always run. Lifted by what set it."""

    class Kind(models.TextChoices):
        OPERATOR = "OPERATOR"
        BREAKER = "BREAKER"
        BILLING = "BILLING"
        DATA = "DATA"
        RISK = "RISK"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="holds")
    kind = models.CharField(max_length=8, choices=Kind)
    cause = models.CharField(max_length=40, help_text="what set it, and alone may lift it")
    reason = models.CharField(max_length=300)
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "engine", "kind", "cause"],
                condition=models.Q(cleared_at=None),
                name="hold_one_open_per_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} hold: {self.reason}"
