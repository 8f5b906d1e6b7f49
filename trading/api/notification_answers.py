"""What the API answers of notifications."""

from rest_framework import serializers

from tenants.models import Notice
from trading.api.answers import Answer, Moment

Text = serializers.CharField
KINDS = ", ".join(Notice.Kind.values)


class Notification(Answer):
    """A notice in the caller's inbox."""

    notification = serializers.UUIDField(source="id")
    kind = Text(source="notice.kind", help_text=f"one of {KINDS}")
    severity = serializers.IntegerField(source="notice.severity", help_text="10, 20 or 30")
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

    inbox_kinds = serializers.ListField(child=Text(), help_text=f"of {KINDS}")
    email_kinds = serializers.ListField(child=Text(), help_text=f"of {KINDS}")
    least_severity = serializers.IntegerField(help_text="of letters: 10, 20 or 30")
    time_zone = Text()
    quiet_from = serializers.TimeField(allow_null=True, format="%H:%M")
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
