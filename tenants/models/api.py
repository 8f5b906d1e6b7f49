"""ApiKey: how a program enters a workspace; StoredAnswer: the first answer to a request that changes."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models

from tenants.roles import Scope
from tenants.scoping import TenantModel


class ApiKey(TenantModel):
    """A program's key; only its SHA-256 is kept. It acts for its maker, within its scope."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=60)
    scope = models.CharField(max_length=5, choices=[(one.value, one.value) for one in Scope])
    digest = models.CharField(max_length=64, help_text="SHA-256 of the key, in hex")
    hint = models.CharField(max_length=12, help_text="how the key begins")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="api_key_digest"),
        ]
        indexes = [models.Index(fields=["digest"], name="api_key_by_digest")]

    def __str__(self) -> str:
        return f"{self.label} ({self.hint}…, {self.scope})"


class StoredAnswer(TenantModel):
    """What a request with an ``Idempotency-Key`` was answered; given again to the same request."""

    KEPT = timedelta(hours=48)

    actor = models.CharField(max_length=60, help_text="user:ID or key:ID")
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "actor", "key"], name="answer_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="answer_by_age")]

    def __str__(self) -> str:
        return f"answer {self.status} to {self.key}"
