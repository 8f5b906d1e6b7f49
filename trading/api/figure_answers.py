"""What the API answers of figures: charts, performance, limits, alerts and storage."""

from typing import Any

from rest_framework import serializers

from trading.api.answers import Answer, Moment
from trading.api.ledger_answers import Money
from trading.core.config.plots import Pane, Tone
from trading.marketdata.timeframes import format_timeframe

Text = serializers.CharField
Number = serializers.FloatField
Count = serializers.IntegerField


class Bar(Answer):
    """One bar as it is stored: prices are 64-bit floats, told by their shortest decimals."""

    opened_at = Moment()
    open = Money()
    high = Money()
    low = Money()
    close = Money()
    volume = Money()


class ChartFill(Answer):
    """One execution."""

    filled_at = Moment()
    side = Text()
    price = Money()
    quantity = Money()
    purpose = Text()
    exit_reason = Text(source="reason")


class EquityPoint(Answer):
    """What the account was worth."""

    at = Moment()
    equity = Money()


class Stop(Answer):
    """Where the stop stood after a bar on which a position was held."""

    opened_at = Moment()
    price = Money()


class Score(Answer):
    """What the votes on a bar made together, above 0 for a long; null: there was no candidate."""

    opened_at = Moment()
    score = Number(allow_null=True)
    confidence = Number(allow_null=True)
    regime = Text()
    votes = serializers.DictField(child=Number(), help_text="score of each strategy that voted")


class Plotted(Answer):
    """One series; a value for each of ``opened_ms``, null where there was none."""

    strategy = Text(allow_blank=True, help_text="empty: what all of them see")
    name = Text()
    title = Text(source="label")
    pane = serializers.ChoiceField(choices=[pane.value for pane in Pane])
    tone = serializers.ChoiceField(choices=[tone.value for tone in Tone])
    values = serializers.ListField(child=Number(allow_null=True))


class Indicators(Answer):
    """What the asked strategies saw, as a worker draws it; while ``working``, ask again in a second."""

    state = serializers.ChoiceField(choices=["ready", "working", "failed", "empty"])
    words = Text(allow_blank=True, help_text="why it failed")
    timeframe = serializers.SerializerMethodField()
    opened_ms = serializers.ListField(child=Count(), source="opened", help_text="of the bars")
    series = Plotted(many=True)

    def get_timeframe(self, drawn: Any) -> str | None:
        """Whose closed bars the strategies voted on."""
        seconds = drawn["timeframe_seconds"]
        return format_timeframe(seconds) if seconds else None


class Bars(Answer):
    """Bars of one market, oldest first."""

    pair = Text(source="symbol")
    timeframe = Text()
    price_step = Money()
    bars = Bar(many=True, help_text="empty: none are stored")


class Chart(Bars):
    """One market of an engine, oldest first."""

    fills = ChartFill(many=True)
    stops = Stop(many=True)
    scores = Score(many=True)
    indicators = Indicators(allow_null=True, help_text="null: no strategies were asked for")
    equity = EquityPoint(many=True)


class Result(Answer):
    """What was made, and how."""

    realized = Money(help_text="net of every fee paid")
    fees = Money()
    unrealized = Money(allow_null=True, help_text="null: a position is open without a price")
    total = Money(allow_null=True)
    trades = Count(source="closed.trades", help_text="positions that ended flat")
    won = Count(source="closed.won")
    win_rate = Number(source="closed.win_rate", allow_null=True)
    profit_factor = Number(
        source="closed.profit_factor", allow_null=True, help_text="null: nothing was lost"
    )
    max_drawdown = Money(
        source="closed.max_drawdown", help_text="deepest fall of what was booked from its highest"
    )


class BotResult(Result):
    """Of one bot."""

    bot_id = serializers.UUIDField()
    bot = Text()


class AccountResult(Result):
    """Of one account in one currency."""

    account_id = serializers.UUIDField()
    account = Text()
    currency = Text()
    bots = BotResult(many=True)


class Chapter(Answer):
    """What an account traded between two starts."""

    number = Count()
    ended_at = Moment(allow_null=True, help_text="null: the current one")


class Performance(Answer):
    """By account and currency, since each account last started over; nothing is converted."""

    accounts = AccountResult(many=True)
    chapters = Chapter(many=True, help_text="of the one account that was asked for")


class Limit(Answer):
    """One risk limit."""

    name = Text(help_text="the parameter that sets it")
    limit = Number(allow_null=True, help_text="null: no limit")
    used = Number(allow_null=True, help_text="of the account; null: the engine has not run yet")
    share = Number(allow_null=True, help_text="used over limit")


class BotLimits(Answer):
    """What one bot stands under."""

    bot_id = serializers.UUIDField(source="bot.id")
    bot = Text(source="bot.name")
    account_id = serializers.UUIDField(source="bot.account_id")
    account = Text(source="bot.account.label")
    revision = Count(source="bot.active_revision.number")
    limits = Limit(many=True)


class Risk(Answer):
    """One page of bots, the newest made first; those without a revision in force are left out."""

    bots = BotLimits(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Alert(Answer):
    """A breaker that tripped."""

    alert = serializers.UUIDField(source="id")
    engine = serializers.UUIDField(source="engine_id")
    account = Text(source="engine.account.label")
    cause = Text()
    words = Text()
    raised_at = Moment()


class Alerts(Answer):
    """One page, newest first."""

    items = Alert(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Kept(Answer):
    """One kind of rows."""

    name = Text(help_text="trading, people, audit, notices, answers or sessions")
    bytes = Count(help_text="with indices, of all workspaces")
    days = Count(allow_null=True, help_text="how long they are kept; null: for ever")


class Mirror(Answer):
    """A standby of the ledger's server; null is what the role of pages may not see there."""

    name = Text()
    state = Text(allow_null=True, help_text="streaming, catchup, backup")
    is_synchronous = serializers.BooleanField(
        allow_null=True, help_text="whether commits wait for it"
    )
    lag_bytes = Count(allow_null=True, help_text="written, and not yet replayed there")
    lag_seconds = Number(allow_null=True, help_text="that the newest commit replayed there waited")


class Ledger(Answer):
    """The canonical ledger."""

    server = Text()
    database = Text()
    bytes = Count()
    kept = Kept(many=True)
    migrations = serializers.ListField(child=Text(), help_text="the newest of each app")
    missing_migrations = serializers.ListField(child=Text(), help_text="known, and not applied yet")
    mirrors = Mirror(many=True)


class StoredBars(Answer):
    """One series of bars on disk."""

    exchange = Text()
    pair = Text()
    timeframe = serializers.SerializerMethodField()
    files = Count()
    bytes = Count()

    def get_timeframe(self, stored: Any) -> str:
        """``1m``, ``1h`` …"""
        return format_timeframe(stored.timeframe_seconds)


class StoredTape(Answer):
    """What an engine was told, for making its decisions again."""

    engine = serializers.UUIDField(source="engine_id")
    files = Count()
    bytes = Count()


class Storage(Answer):
    """Everything that outlives a process."""

    ledger = Ledger()
    bars = StoredBars(many=True, help_text="imported, for backtests and replays")
    recorded = StoredBars(many=True, help_text="as engines were told them by wire")
    tapes = StoredTape(many=True, help_text="of the workspace's engines")
