"""What the API answers of the workspace: itself, its venues, what happened and what is wrong."""

from rest_framework import serializers

from trading.api.account_answers import AccountKey
from trading.api.answers import Answer, Moment
from trading.api.ledger_answers import Money
from trading.queries.events import KINDS
from trading.queries.findings import Verdict

Text = serializers.CharField
Count = serializers.IntegerField


class Event(Answer):
    """One thing that happened."""

    kind = serializers.ChoiceField(choices=list(KINDS))
    at = Moment(help_text="positions: market time")
    subject = serializers.UUIDField(source="key", help_text="the alert, hold, command, position …")
    account = Text()
    words = Text()


class Events(Answer):
    """One page, newest first."""

    items = Event(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Anomaly(Answer):
    """What a person must look at."""

    check = Text()
    verdict = serializers.ChoiceField(choices=[Verdict.FAIL.value, Verdict.WARN.value])
    words = Text()


class Anomalies(Answer):
    """The worst first; empty: all is well."""

    items = Anomaly(many=True)


class Connection(Answer):
    """How one account stands to its venue."""

    account_id = serializers.UUIDField(source="account.id")
    account = Text(source="account.label")
    exchange = Text(source="account.venue")
    mode = Text(source="account.mode")
    connected = serializers.BooleanField(
        source="is_connected", help_text="its engine runs and spoke a moment ago"
    )
    engine = serializers.UUIDField(source="engine.id", default=None, allow_null=True)
    observed = Text(source="engine.observed", default=None, allow_null=True)
    detail = Text(source="engine.detail", default="", allow_blank=True)
    heartbeat_at = Moment(source="engine.heartbeat_at", default=None, allow_null=True)
    last_bar_at = Moment(allow_null=True, help_text="market time of the newest decision")
    disabled_at = Moment(source="account.disabled_at", allow_null=True)
    key = AccountKey(source="credential", allow_null=True, help_text="null: none is kept")


class Connections(Answer):
    """Every account."""

    items = Connection(many=True)


class Tenant(Answer):
    """The workspace."""

    tenant = serializers.UUIDField(source="id")
    slug = Text()
    name = Text()
    status = Text()
    status_reason = Text(help_text="why it is not active; empty when it is")
    created_at = Moment()
    members = Count()
    accounts = Count()
    bots = Count()
    api_keys = Count(help_text="that are not revoked")


class Settings(Answer):
    """The settings in force."""

    version = Count(help_text="0: those a workspace begins with")
    name = Text(source="settings.name")
    bot_profile = Text(source="settings.bot_profile", help_text="a new bot's, where none is told")
    bot_timeframe = Text(source="settings.bot_timeframe", help_text="idem")
    paper_cash = Money(
        source="settings.paper_cash", help_text="what a new paper account begins with"
    )


class Favorite(Answer):
    """A pair you marked."""

    pair = Text()
    created_at = Moment()


class Favorites(Answer):
    """Your own, by pair."""

    items = Favorite(many=True)


class Reset(Answer):
    """An account that started over."""

    account_id = serializers.UUIDField(source="account.id")
    account = Text(source="account.label")
    currency = Text(source="account.quote_currency")
    cash = Money()
    at = Moment()
