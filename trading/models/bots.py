"""Bot, BotRevision, RevisionWait, BotInstrument: what a tenant lets an engine trade, and with which parameters."""

import uuid

from django.conf import settings
from django.db import models

from tenants.scoping import TenantModel
from trading.models.market import Instrument


class Bot(TenantModel):
    """A strategy profile at work on one exchange account."""

    class Stage(models.TextChoices):
        DRAFT = "DRAFT"
        PAPER = "PAPER"
        LIVE = "LIVE"
        RETIRED = "RETIRED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        "tenants.ExchangeAccount", on_delete=models.PROTECT, related_name="bots"
    )
    name = models.CharField(max_length=80)
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.DRAFT)
    active_revision = models.ForeignKey(
        "trading.BotRevision", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "account", "name"], name="bot_account_name"),
        ]

    def __str__(self) -> str:
        return self.name


class BotRevision(TenantModel):
    """One immutable, numbered set of a bot's parameters."""

    APPEND_ONLY = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    timeframe_seconds = models.PositiveIntegerField()
    params = models.JSONField()
    params_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "bot", "number"], name="revision_number"),
        ]

    def __str__(self) -> str:
        return f"{self.bot} r{self.number}"


class RevisionWait(TenantModel):
    """A revision that is not in force: it loosens a risk limit, or lacks proof for real money."""

    class Outcome(models.TextChoices):
        IN_FORCE = "IN_FORCE", "In force"
        WITHDRAWN = "WITHDRAWN"
        SUPERSEDED = "SUPERSEDED"

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="waits")
    revision = models.OneToOneField(BotRevision, on_delete=models.PROTECT, related_name="wait")
    loosens = models.JSONField(help_text="the risk limits it loosens")
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "bot"], condition=models.Q(ended_at=None), name="wait_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision} from {self.due_at:%Y-%m-%d %H:%M}"


class BotInstrument(TenantModel):
    """An instrument a bot trades; the order fixes the index of its market in the engine."""

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="bot_instruments")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "bot", "instrument"], name="bot_instrument_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bot}: {self.instrument}"
