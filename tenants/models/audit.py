"""AuditEntry: who did what, append-only."""

from django.conf import settings
from django.db import models

from tenants.scoping import TenantModel


class AuditEntry(TenantModel):
    """One act of a person or of the system."""

    APPEND_ONLY = True

    sequence = models.PositiveBigIntegerField(help_text="1, 2, 3 … within the workspace")
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_label = models.CharField(max_length=254, help_text="e-mail address, or 'system'")
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "sequence"], name="audit_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label}: {self.action} {self.subject}"
