"""The part of the client that says whom to tell what: webhooks, and one's own notifications."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from novapulse_client.reader import Reader
from novapulse_client.standing import (
    Marked,
    NewWebhook,
    Notification,
    NotificationSettings,
    Outcome,
    Outcomes,
    Webhook,
)


class Teller(Reader):
    """What changes who is told; every method raises ``NovaPulseError`` when it is refused."""

    def change_notification_settings(
        self, *, based_on: str | None = None, **wishes: Any
    ) -> NotificationSettings:
        """What of these differs; the rest stays.

        Args:
            based_on: the ETag of what you looked at; without it, what stands now.
        """
        path = "/notifications/settings"
        headers = {"If-Match": self._wire.tag_of(path) if based_on is None else based_on}
        return self._wire.change("PATCH", path, wishes, NotificationSettings, headers)

    def mark_notification(self, notification: UUID | str, *, read: bool) -> Notification:
        """Read, or to be read again."""
        return self._wire.change(
            "PATCH", f"/notifications/{notification}", {"read": read}, Notification
        )

    def mark_all_read(self) -> int:
        """Your whole inbox; how many were unread."""
        return self._wire.post("/notifications/read", {}, Marked).read

    def acknowledge(self, notification: UUID | str) -> Notification:
        """You see to it: nobody is reminded of it any more."""
        return self._wire.post(f"/notifications/{notification}/acknowledge", {}, Notification)

    def test_alerts(self) -> list[Outcome]:
        """Send a test through every channel, and what came of each; needs scope ``admin``."""
        return self._wire.post("/alerts/test", {}, Outcomes).channels

    def add_webhook(
        self, url: str, *, kinds: Sequence[str] | None = None, least_severity: int = 10
    ) -> NewWebhook:
        """Of everything but fills, or of these kinds; needs scope ``admin``, as all of webhooks."""
        chosen = {} if kinds is None else {"kinds": list(kinds)}
        body = {"url": url, "least_severity": least_severity, **chosen}
        return self._wire.post("/webhooks", body, NewWebhook)

    def rotate_webhook(self, webhook: UUID | str) -> NewWebhook:
        """Another secret; the former one signs nothing more at once."""
        return self._wire.post(f"/webhooks/{webhook}/rotate", {}, NewWebhook)

    def disable_webhook(self, webhook: UUID | str) -> Webhook:
        """It is told nothing until it is enabled; what is on its way is given up."""
        return self._wire.post(f"/webhooks/{webhook}/disable", {}, Webhook)

    def enable_webhook(self, webhook: UUID | str) -> Webhook:
        """It is told what happens from now on."""
        return self._wire.post(f"/webhooks/{webhook}/enable", {}, Webhook)

    def test_webhook(self, webhook: UUID | str) -> Outcome:
        """Send it a test now, once, and what came of it."""
        return self._wire.post(f"/webhooks/{webhook}/test", {}, Outcome)

    def remove_webhook(self, webhook: UUID | str) -> Webhook:
        """It is told nothing more, and its secret is forgotten."""
        return self._wire.change("DELETE", f"/webhooks/{webhook}", {}, Webhook)
