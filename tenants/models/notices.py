"""What people are told: notices, everybody's inbox, letters and webhooks on their way, wishes."""

import uuid

from django.conf import settings
from django.db import models

from tenants.models.keys import DataKey
from tenants.scoping import TenantModel


class Notice(TenantModel):
    """Something that happened, told once; ``key`` names the fact it tells of."""

    class Kind(models.TextChoices):
        ALERT = "ALERT", "Breakers"
        HOLD = "HOLD", "Holds"
        ENGINE = "ENGINE", "Engines"
        POSITION = "POSITION", "Positions"
        FILL = "FILL", "Fills"
        SUMMARY = "SUMMARY", "Daily summary"
        KEY = "KEY", "Keys"
        SECURITY = "SECURITY", "Security"

    class Severity(models.IntegerChoices):
        INFO = 10, "Information"
        WARNING = 20, "Warning"
        CRITICAL = 30, "Critical"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=160)
    kind = models.CharField(max_length=8, choices=Kind)
    severity = models.PositiveSmallIntegerField(choices=Severity)
    title = models.CharField(max_length=160)
    words = models.CharField(max_length=1000, blank=True)
    path = models.CharField(max_length=200, blank=True, help_text="the page that tells more")
    concerned = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="whose sign-in, key or role it is; told to them whatever they wish",
    )
    happened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    over_at = models.DateTimeField(null=True, blank=True, help_text="its cause is gone since")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="notice_once")]
        indexes = [models.Index(fields=["tenant", "-happened_at"], name="notice_newest")]

    def __str__(self) -> str:
        return self.title


class Notification(TenantModel):
    """A notice in one member's inbox."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="notifications")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    told_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "notice", "user"], name="notification_once"),
        ]
        indexes = [
            models.Index(fields=["user", "-told_at"], name="notification_newest"),
            models.Index(
                fields=["tenant", "user"],
                name="notification_unread",
                condition=models.Q(read_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice} for {self.user}"


class WebhookEndpoint(TenantModel):
    """An address of the workspace's own that is told; what it is told is signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(max_length=500)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField(help_text="the secret it checks signatures with")
    kinds = models.JSONField(default=list)
    least_severity = models.PositiveSmallIntegerField(choices=Notice.Severity)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True, help_text="told nothing since")
    removed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.url


class Delivery(TenantModel):
    """One notice on its way to one recipient through one channel: the outbox."""

    class Channel(models.TextChoices):
        EMAIL = "EMAIL", "E-mail"
        WEBHOOK = "WEBHOOK", "Webhook"

    class State(models.TextChoices):
        PENDING = "PENDING", "On its way"
        SENT = "SENT", "Sent"
        GIVEN_UP = "GIVEN_UP", "Given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=7, choices=Channel)
    recipient = models.CharField(max_length=60, help_text="user:<id> or hook:<id>")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    due_at = models.DateTimeField(help_text="not tried before; moved ahead by whoever tries")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="since it was last sent")
    repeats = models.PositiveSmallIntegerField(default=0, help_text="sent again, unacknowledged")
    reason = models.CharField(max_length=300, blank=True, help_text="why the last try failed")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "notice", "channel", "recipient"], name="delivery_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="delivery_due", condition=models.Q(state="PENDING")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.recipient}: {self.get_state_display()}"


class NotificationSettings(TenantModel):
    """What one member wants to be told and how; without a row the role's defaults hold."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    inbox_kinds = models.JSONField(default=list)
    email_kinds = models.JSONField(default=list)
    least_severity = models.PositiveSmallIntegerField(
        choices=Notice.Severity, help_text="of letters"
    )
    time_zone = models.CharField(max_length=60, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "notification settings"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="notification_settings_once"),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="notification_settings_quiet_hours",
            ),
        ]

    def __str__(self) -> str:
        return f"settings of {self.user}"


class NoticeCursor(TenantModel):
    """How far a source of notices was read; what is read again is told once all the same."""

    source = models.CharField(max_length=80)
    position = models.PositiveBigIntegerField()
    detail = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "source"], name="notice_cursor_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} up to {self.position}"


class KnownDevice(models.Model):
    """A browser a person has signed in with, by the SHA-256 of the mark it carries."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="known_device_once"),
        ]

    def __str__(self) -> str:
        return f"a device of {self.user}"
