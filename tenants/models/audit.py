"""AuditEntry: who did what, append-only."""

from django.conf import settings
from django.db import models

from tenants.scoping import TenantModel


class AuditEntry(TenantModel):
    """One act of a person or of the system."""

    APPEND_ONLY = True

    sequence = models.PositiveBigIntegerField(
        default=0, help_text="1, 2, 3 … within the workspace; the database says which"
    )
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_label = models.CharField(max_length=254, help_text="e-mail address, or 'system'")
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    previous_hash = models.BinaryField(max_length=32, default=bytes)
    hash = models.BinaryField(
        max_length=32, default=bytes, help_text="SHA-256 of previous hash and content, by a trigger"
    )

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "sequence"], name="audit_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label}: {self.action} {self.subject}"


class ChainCheck(TenantModel):
    """One walk over a hash chain of the workspace: how far it holds, and where it is broken."""

    APPEND_ONLY = True

    class Kind(models.TextChoices):
        AUDIT = "AUDIT", "Acts"
        DECISIONS = "DECISIONS", "Decisions"

    kind = models.CharField(max_length=9, choices=Kind)
    chain = models.UUIDField(help_text="the workspace, or the engine")
    entries = models.PositiveBigIntegerField(help_text="how many hold, from the first")
    head_hash = models.BinaryField(max_length=32, help_text="of the last that holds")
    broken_at = models.PositiveBigIntegerField(null=True, blank=True)
    damage = models.CharField(max_length=9, blank=True)
    words = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField()
    checked_by = models.CharField(max_length=254, help_text="'verify_audit' or the nightly task")

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "chain", "-checked_at"], name="check_by_chain"),
        ]

    def __str__(self) -> str:
        if self.broken_at is None:
            return f"{self.get_kind_display()}: {self.entries} entries hold"
        return f"{self.get_kind_display()}: {self.damage} at {self.broken_at}"
