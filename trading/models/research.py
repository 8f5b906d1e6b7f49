"""BacktestRun, BacktestTrial: what was tried on stored bars, by whom, and what came out."""

import uuid

from django.conf import settings
from django.db import models

from tenants.scoping import TenantModel


class BacktestRun(TenantModel):
    """One numbered run. Once it has ended nothing but ``archived_at`` changes; none is ever deleted."""

    class Kind(models.TextChoices):
        BACKTEST = "BACKTEST"
        SWEEP = "SWEEP"
        WALK_FORWARD = "WALK_FORWARD", "Walk-forward"
        LOOKAHEAD = "LOOKAHEAD", "Look-ahead analysis"

    class Status(models.TextChoices):
        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        DONE = "DONE"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    ENDED = (Status.DONE, Status.FAILED, Status.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(help_text="counts every try of this tenant")
    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    request = models.JSONField()
    params_hash = models.CharField(max_length=64)
    seed = models.PositiveBigIntegerField(default=0)
    data_hash = models.CharField(max_length=64, blank=True, help_text="of the bars and grids used")
    core_hash = models.CharField(max_length=64, blank=True)
    trials = models.PositiveIntegerField(default=0, help_text="parameter sets tried")
    done = models.PositiveIntegerField(default=0, help_text="evaluations finished")
    total = models.PositiveIntegerField(default=0, help_text="evaluations planned")
    facts = models.JSONField(null=True, blank=True, help_text="the result without its trades")
    result = models.BinaryField(null=True, blank=True, help_text="the whole result, packed")
    result_hash = models.CharField(max_length=64, blank=True)
    charts = models.BinaryField(null=True, blank=True, help_text="what its page draws, packed")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    attempt = models.PositiveIntegerField(default=0, help_text="claims since the last progress")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="run_number"),
            models.CheckConstraint(
                condition=~models.Q(status="DONE")
                | models.Q(finished_at__isnull=False, facts__isnull=False, result__isnull=False),
                name="run_done_has_a_result",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="run_unfinished",
                condition=models.Q(status__in=["QUEUED", "RUNNING"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it will change any more."""
        return self.status in self.ENDED


class BacktestTrial(TenantModel):
    """One evaluated parameter set of a run; written with the chunk it belongs to."""

    APPEND_ONLY = True

    class Sample(models.TextChoices):
        IN = "IN", "In sample"
        OUT = "OUT", "Out of sample"
        PROBE = "PROBE"

    run = models.ForeignKey(BacktestRun, on_delete=models.PROTECT, related_name="trial_rows")
    window = models.PositiveIntegerField(default=0)
    sample = models.CharField(max_length=5, choices=Sample)
    index = models.PositiveIntegerField()
    values = models.JSONField(help_text="what differs from the run's parameters")
    metrics = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="why there are no metrics")
    daily = models.BinaryField(help_text="daily returns, packed")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "window", "sample", "index"], name="trial_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run}: {self.window}/{self.sample}/{self.index}"
