"""What the API answers of notifications."""

from typing import Any

from rest_framework import serializers

from tenants.models import Notice
from trading.api.answers import Answer, Moment

Text = serializers.CharField
WEIGHTS = "10 information, 20 warning, 30 critical"


class Kinds(serializers.ListField):
    """Kinds of notices."""

    child = serializers.ChoiceField(choices=Notice.Kind.choices)

    def to_representation(self, data: Any) -> list[str]:
        """In one order, whatever kept them."""
        return sorted(data)


class Notification(Answer):
    """A notice in the caller's inbox."""

    notification = serializers.UUIDField(source="id")
    kind = serializers.ChoiceField(source="notice.kind", choices=Notice.Kind.choices)
    severity = serializers.ChoiceField(
        source="notice.severity", choices=Notice.Severity.choices, help_text=WEIGHTS
    )
    title = Text(source="notice.title")
    words = Text(source="notice.words")
    path = Text(source="notice.path", help_text="the page that tells more; may be empty")
    happened_at = Moment(source="notice.happened_at")
    told_at = Moment()
    read_at = Moment(allow_null=True)
    acknowledged_at = Moment(source="notice.acknowledged_at", allow_null=True)
    acknowledged_by = serializers.CharField(
        source="notice.acknowledged_by.email", default=None, allow_null=True
    )
    over_at = Moment(
        source="notice.over_at", allow_null=True, help_text="since when its cause is gone"
    )


class Notifications(Answer):
    """One page, newest first."""

    items = Notification(many=True)
    unread = serializers.IntegerField(help_text="in the whole inbox")
    next = Text(allow_null=True, help_text="cursor of the next page")


class Marked(Answer):
    """How many were marked."""

    read = serializers.IntegerField()


class NotificationSettings(Answer):
    """What the caller wants to be told."""

    inbox_kinds = Kinds(help_text="what comes into your inbox")
    email_kinds = Kinds(help_text="what comes by letter as well")
    least_severity = serializers.ChoiceField(
        choices=Notice.Severity.choices, help_text=f"of letters: {WEIGHTS}"
    )
    time_zone = Text(help_text="of the quiet hours, such as Europe/Berlin")
    quiet_from = serializers.TimeField(
        allow_null=True, format="%H:%M", help_text="letters wait from then on; null: they never do"
    )
    quiet_until = serializers.TimeField(allow_null=True, format="%H:%M")


class Outcome(Answer):
    """What became of the test in one channel."""

    channel = serializers.ChoiceField(choices=["inbox", "email", "webhook"])
    recipient = Text()
    sent = serializers.BooleanField()
    reason = Text(help_text="why it was not sent; empty when it was")


class Outcomes(Answer):
    """Of every channel."""

    channels = Outcome(many=True)
