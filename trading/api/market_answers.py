"""What the API answers of markets: the last scan of each, its regime, and the strategies."""

from typing import Any

from rest_framework import serializers

from trading.api.answers import Answer, Moment, Parameter
from trading.api.decision_answers import Refusal
from trading.api.ledger_answers import Money
from trading.marketdata.timeframes import format_timeframe
from trading.queries.scanner import Scanned

Text = serializers.CharField
Number = serializers.FloatField


class Market(Answer):
    """One market of an engine; what was not scanned yet is null."""

    engine = serializers.UUIDField(source="engine.id")
    market = serializers.IntegerField(source="market.index", help_text="its number in the engine")
    account_id = serializers.UUIDField(source="engine.account_id")
    account = Text(source="engine.account.label")
    exchange = Text(source="engine.account.venue")
    bot_id = serializers.UUIDField(source="market.bot.id")
    bot = Text(source="market.bot.name")
    pair = Text(source="market.instrument.symbol")
    timeframe = serializers.SerializerMethodField()
    decision = serializers.IntegerField(source="row.id", default=None, allow_null=True)
    bar_opened_at = Moment(source="row.bar_opened_at", default=None, allow_null=True)

    def get_timeframe(self, scanned: Scanned) -> str:
        """``1m``, ``1h`` …"""
        return format_timeframe(scanned.market.revision.timeframe_seconds)


def told(name: str, field: type[Any], **given: Any) -> Any:
    """One of the decision's words; null before the first scan."""
    return field(source=f"words.{name}", default=None, allow_null=True, **given)


class ScannedMarket(Market):
    """The last scan of a market."""

    stage = told("stage", Text, help_text="where the decision ended")
    reason = told("reason", Text)
    sentence = told("sentence", Text)
    side = told("side", Text, help_text="of the candidate")
    strategy = told("strategy", Text, help_text="its strongest vote")
    score = told("score", Number)
    confidence = told("confidence", Number)
    probability = told("probability", Number)
    close = told("close", Money)
    refused_by = Refusal(source="refusal", allow_null=True, help_text="the first gate that said no")


class Scanner(Answer):
    """Every market that is traded."""

    items = ScannedMarket(many=True)


class MarketRegime(Market):
    """What kind of market it is now, and the numbers that say so."""

    regime = told("regime", Text)
    volatility = told("volatility", Text, help_text="beside the market's own recent past")
    adx = told("adx", Number)
    choppiness = told("choppiness", Number)
    volatility_rank = told("volatility_rank", Number)
    rsi = told("rsi", Number)
    volume_ratio = told("volume_ratio", Number)


class Regimes(Answer):
    """Every market that is traded."""

    items = MarketRegime(many=True)


class Listener(Answer):
    """A bot, and the weight it gives."""

    bot_id = serializers.UUIDField(source="bot.id")
    bot = Text(source="bot.name")
    weight = Number(help_text="0: it does not listen")


class Strategy(Answer):
    """One strategy."""

    name = Text()
    idea = Text()
    parameters = Parameter(many=True)
    bots = Listener(many=True)


class Strategies(Answer):
    """In the order of votes."""

    items = Strategy(many=True)
