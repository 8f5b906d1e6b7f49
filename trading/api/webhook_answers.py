"""What the API answers of webhooks and of what was delivered to them."""

from rest_framework import serializers

from tenants.models import Delivery as StoredDelivery
from tenants.models import Notice
from trading.api.answers import Answer, Moment
from trading.api.notification_answers import WEIGHTS, Kinds

Text = serializers.CharField


class Delivery(Answer):
    """One notice on its way to one webhook."""

    delivery = serializers.UUIDField(source="id")
    kind = serializers.ChoiceField(source="notice.kind", choices=Notice.Kind.choices)
    title = Text(source="notice.title")
    happened_at = Moment(source="notice.happened_at")
    state = serializers.ChoiceField(choices=StoredDelivery.State.values)
    attempts = serializers.IntegerField(help_text="tries since it was last sent")
    reason = Text(help_text="why the last try failed; empty: it did not")
    due_at = Moment(help_text="of one that is PENDING: when it is tried next")
    sent_at = Moment(allow_null=True, help_text="null: it was not taken yet")


class Deliveries(Answer):
    """One page, what happened last first."""

    items = Delivery(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Webhook(Answer):
    """An address of the workspace's own that is told; never its secret."""

    webhook = serializers.UUIDField(source="id")
    url = Text()
    kinds = Kinds(help_text="what it is told of")
    least_severity = serializers.ChoiceField(
        choices=Notice.Severity.choices, help_text=f"the least: {WEIGHTS}"
    )
    created_at = Moment()
    disabled_at = Moment(allow_null=True, help_text="told nothing since; null: it is in use")
    removed_at = Moment(allow_null=True)
    last = Delivery(allow_null=True, help_text="the newest that was tried; null: none yet")


class NewWebhook(Webhook):
    """The same, and once the secret its signatures are made with."""

    secret = Text(allow_null=True, help_text="shown once; null where a request is answered again")


class Webhooks(Answer):
    """All that were not removed, the oldest first."""

    items = Webhook(many=True)
