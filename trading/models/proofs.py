"""LedgerProof: what was found when an engine's books were held against the venue's and replayed."""

from django.db import models

from tenants.scoping import TenantModel
from trading.models.engines import Engine


class LedgerProof(TenantModel):
    """One comparison; ``problem`` says why it could not be made."""

    APPEND_ONLY = True

    engine = models.ForeignKey(Engine, on_delete=models.PROTECT, related_name="proofs")
    proved_at = models.DateTimeField()
    since = models.DateTimeField(null=True, blank=True, help_text="market time, of the venue's")
    until = models.DateTimeField(null=True, blank=True, help_text="market time, of the venue's")
    fills = models.PositiveBigIntegerField(default=0)
    orders = models.PositiveBigIntegerField(default=0)
    differing = models.PositiveBigIntegerField(default=0)
    differences = models.JSONField(default=list, help_text="the first ones: kind, what, words")
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["engine", "-proved_at"], name="proof_by_time")]

    def __str__(self) -> str:
        return self.problem or f"{self.differing} differences in {self.fills} fills"
