"""Which channel serves which deliveries."""

from collections.abc import Mapping

from tenants.models import Delivery
from tenants.notifications.channels.email import Email
from tenants.notifications.channels.protocol import Channel
from tenants.notifications.channels.webhook import Webhook

CHANNELS: Mapping[str, Channel] = {
    Delivery.Channel.EMAIL: Email(),
    Delivery.Channel.WEBHOOK: Webhook(),
}
