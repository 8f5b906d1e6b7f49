"""What the API answers of exchange accounts; of a key never more than its last four characters."""

from rest_framework import serializers

from tenants.models import ExchangeAccount
from trading.api.answers import Answer, Moment
from trading.models import Hold


class AccountKey(Answer):
    """How an account's key stands."""

    ends = serializers.CharField(source="last_four")
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["UNCHECKED", "GOOD", "BAD", "DISABLED"])
    detail = serializers.CharField(allow_blank=True)
    rights = serializers.ListField(child=serializers.CharField())
    sealed_at = Moment()
    checked_at = Moment(allow_null=True)
    check_asked_at = Moment(allow_null=True, help_text="null: no check is due")


class AccountHold(Answer):
    """A standing reason not to enter."""

    kind = serializers.ChoiceField(choices=Hold.Kind.choices)
    cause = serializers.CharField()
    reason = serializers.CharField()
    placed_at = Moment()


class AccountRate(Answer):
    """How much of one of the venue's limits is used."""

    of = serializers.CharField(help_text="a pair, or: private calls")
    used = serializers.FloatField()
    limit = serializers.FloatField()
    as_of = Moment(help_text="when the engine last said so; it falls by itself")


class Account(Answer):
    """One login at one venue."""

    account = serializers.UUIDField(source="account.id")
    label = serializers.CharField(source="account.label")  # type: ignore[assignment]  # DRF's own property is for forms
    exchange = serializers.CharField(source="account.venue")
    mode = serializers.ChoiceField(source="account.mode", choices=tuple(ExchangeAccount.Mode))
    currency = serializers.CharField(source="account.quote_currency")
    protection = serializers.ChoiceField(
        source="account.protection",
        choices=["STOPS", "SWITCH"],
        help_text="while no engine guards it",
    )
    engine = serializers.UUIDField(allow_null=True)
    disabled_at = Moment(source="account.disabled_at", allow_null=True)
    key = AccountKey(source="credential", allow_null=True)
    holds = AccountHold(many=True)
    tier = serializers.CharField(source="account.tier", help_text="its standing at Kraken")
    rates = AccountRate(many=True, help_text="of a live account where the venue counts")


class Accounts(Answer):
    """All of the workspace."""

    items = Account(many=True)
    next = serializers.CharField(allow_null=True, help_text="cursor of the next page")


class BotProof(Answer):
    """What speaks for one bot's revision in force."""

    bot_id = serializers.UUIDField(source="bot.id")
    bot = serializers.CharField(source="bot.name")
    revision = serializers.IntegerField(source="revision.number")
    backtest = serializers.IntegerField(
        source="backtest.number",
        default=None,
        allow_null=True,
        help_text="that luck does not explain",
    )
    paper_since = Moment(source="paper.since", allow_null=True)
    paper_days = serializers.IntegerField(source="paper.days")
    paper_fills = serializers.IntegerField(source="paper.fills")


class Readiness(Answer):
    """Whether the account may send orders."""

    mode = serializers.ChoiceField(choices=tuple(ExchangeAccount.Mode))
    needed = serializers.ListField(
        child=serializers.CharField(), help_text="what nobody may override; a sentence each"
    )
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="what an owner may override with a reason"
    )
    bots = BotProof(many=True)
