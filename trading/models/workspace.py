"""SettingsVersion, Favorite: what a workspace is set to, and the pairs a member keeps an eye on."""

from django.conf import settings
from django.db import models

from tenants.scoping import TenantModel


class SettingsVersion(TenantModel):
    """One immutable, numbered set of the workspace's settings; the highest number is in force."""

    APPEND_ONLY = True

    number = models.PositiveIntegerField()
    values = models.JSONField(help_text="every setting; decimals as text")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="settings_number"),
        ]

    def __str__(self) -> str:
        return f"settings {self.number}"


class Favorite(TenantModel):
    """A pair that a member marked for themselves."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    pair = models.CharField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user", "pair"], name="favorite_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.pair}"
