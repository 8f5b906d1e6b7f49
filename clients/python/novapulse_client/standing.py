"""Accounts, notifications and alerts as the API answers them."""

from datetime import datetime
from uuid import UUID

from novapulse_client.base import Model


class AccountKey(Model, frozen=True, kw_only=True):
    """How an account's key stands."""

    ends: str
    version: int
    state: str
    detail: str
    rights: list[str]
    sealed_at: datetime
    checked_at: datetime | None
    check_asked_at: datetime | None


class AccountHold(Model, frozen=True, kw_only=True):
    """A standing reason not to enter."""

    kind: str
    cause: str
    reason: str
    placed_at: datetime


class AccountRate(Model, frozen=True, kw_only=True):
    """How much of one of the venue's limits is used."""

    of: str
    used: float
    limit: float
    as_of: datetime


class Account(Model, frozen=True, kw_only=True):
    """One login at one venue."""

    account: UUID
    label: str
    exchange: str
    mode: str
    currency: str
    protection: str
    tier: str
    engine: UUID | None
    disabled_at: datetime | None
    key: AccountKey | None
    holds: list[AccountHold]
    rates: list[AccountRate]


class Alert(Model, frozen=True, kw_only=True):
    """A breaker that tripped."""

    alert: UUID
    engine: UUID
    account: str
    cause: str
    words: str
    raised_at: datetime


class Notification(Model, frozen=True, kw_only=True):
    """A notice in your inbox."""

    notification: UUID
    kind: str
    severity: int
    title: str
    words: str
    path: str
    happened_at: datetime
    told_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    over_at: datetime | None


class NotificationSettings(Model, frozen=True, kw_only=True):
    """What you want to be told."""

    inbox_kinds: list[str]
    email_kinds: list[str]
    least_severity: int
    time_zone: str
    quiet_from: str | None
    quiet_until: str | None


class Delivery(Model, frozen=True, kw_only=True):
    """One notice on its way to one webhook."""

    delivery: UUID
    kind: str
    title: str
    happened_at: datetime
    state: str
    attempts: int
    reason: str
    due_at: datetime
    sent_at: datetime | None


class Webhook(Model, frozen=True, kw_only=True):
    """An address of the workspace's own that is told; never its secret."""

    webhook: UUID
    url: str
    kinds: list[str]
    least_severity: int
    created_at: datetime
    disabled_at: datetime | None
    removed_at: datetime | None
    last: Delivery | None


class NewWebhook(Webhook, frozen=True, kw_only=True):
    """The same, and once its secret; None where the request was answered before."""

    secret: str | None

    def __repr__(self) -> str:
        return f"NewWebhook(webhook={self.webhook!r}, url={self.url!r})"


class Marked(Model, frozen=True, kw_only=True):
    """How many were marked as read."""

    read: int


class Outcome(Model, frozen=True, kw_only=True):
    """What became of the test in one channel."""

    channel: str
    recipient: str
    sent: bool
    reason: str


class Outcomes(Model, frozen=True, kw_only=True):
    """Of every channel."""

    channels: list[Outcome]
