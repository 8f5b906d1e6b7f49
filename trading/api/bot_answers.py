"""What the API answers of bots and their revisions."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.models import ExchangeAccount
from trading.api.answers import Answer, Moment
from trading.marketdata.timeframes import format_timeframe
from trading.models import Bot as StoredBot
from trading.models import BotRevision, RevisionWait
from trading.queries.bots import engine_of

Text = serializers.CharField


class Bot(Answer):
    """A strategy at work on one account."""

    bot = serializers.UUIDField(source="id")
    name = Text()
    account_id = serializers.UUIDField()
    account = Text(source="account.label")
    exchange = Text(source="account.venue")
    mode = serializers.ChoiceField(source="account.mode", choices=tuple(ExchangeAccount.Mode))
    engine = serializers.SerializerMethodField(help_text="null: the account has none")
    stage = serializers.ChoiceField(choices=StoredBot.Stage.choices)
    pairs = serializers.SerializerMethodField()
    timeframe = serializers.SerializerMethodField(allow_null=True)
    active_revision = serializers.IntegerField(
        source="active_revision.number", default=None, allow_null=True
    )
    revisions = serializers.IntegerField(source="revision_count")
    created_at = Moment()

    def get_engine(self, bot: StoredBot) -> UUID | None:
        """Of its account."""
        return engine_of(bot)

    def get_pairs(self, bot: StoredBot) -> list[str]:
        """In the order of its markets."""
        rows = sorted(bot.bot_instruments.all(), key=lambda row: (row.order, row.id))
        return [row.instrument.symbol for row in rows]

    def get_timeframe(self, bot: StoredBot) -> str | None:
        """Of the bars it decides on."""
        active = bot.active_revision
        return format_timeframe(active.timeframe_seconds) if active else None


class Bots(Answer):
    """One page, the newest made first."""

    items = Bot(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class WholeBot(Bot):
    """With the parameters that are in force, whole."""

    params = serializers.DictField(allow_null=True, help_text="null: it has no revision yet")


class Wait(Answer):
    """A loosened limit, or a change of what trades real money, until an owner puts it in force."""

    loosens = serializers.ListField(child=Text())
    missing = serializers.SerializerMethodField(
        help_text="what is not on record before it trades real money, while it waits; an owner may "
        "override it with a reason and a second factor, on the bot's page",
    )
    due_at = Moment()
    ended_at = Moment(allow_null=True, help_text="null: it waits")
    outcome = serializers.ChoiceField(
        choices=["IN_FORCE", "WITHDRAWN", "SUPERSEDED"], allow_blank=True
    )

    def get_missing(self, wait: RevisionWait) -> list[str]:
        """Of one that waits; a sentence each."""
        found: list[str] = self.context["missing"].get(wait.id, [])
        return found


class Revision(Answer):
    """One immutable, numbered set of parameters."""

    revision = serializers.IntegerField(source="number")
    is_active = serializers.SerializerMethodField()
    timeframe = serializers.SerializerMethodField()
    params = serializers.DictField()
    params_sha256 = Text(source="params_hash")
    author = Text(source="author.email", default=None, allow_null=True)
    created_at = Moment()
    wait = serializers.SerializerMethodField(help_text="null: it had not to wait")

    def get_is_active(self, revision: BotRevision) -> bool:
        """Whether it is in force."""
        return revision.id == self.context["active_id"]

    def get_timeframe(self, revision: BotRevision) -> str:
        """Of the bars it decides on."""
        return format_timeframe(revision.timeframe_seconds)

    @extend_schema_field(Wait(allow_null=True))
    def get_wait(self, revision: BotRevision) -> Any:
        """Only one that loosens a limit, or lacks proof for real money, waits."""
        wait = self.context["waits"].get(revision.id)
        return wait and Wait(wait, context=self.context).data


class Revisions(Answer):
    """One page, newest first."""

    items = Revision(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")
