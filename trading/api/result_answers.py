"""What the API answers of results: by strategy, by any other way to split them, and of execution."""

from rest_framework import serializers

from trading.api.answers import Answer
from trading.api.ledger_answers import Money
from trading.queries.attribution import WAYS

Text = serializers.CharField
Number = serializers.FloatField
Count = serializers.IntegerField


class Part(Answer):
    """Closed trades of one account and currency that belong together."""

    account_id = serializers.UUIDField()
    account = Text()
    currency = Text()
    trades = Count(source="closed.trades")
    won = Count(source="closed.won")
    win_rate = Number(source="closed.win_rate", allow_null=True)
    gross = Money(help_text="before fees")
    fees = Money()
    net = Money()
    profit_factor = Number(
        source="closed.profit_factor", allow_null=True, help_text="null: nothing was lost"
    )
    max_drawdown = Money(source="closed.max_drawdown", help_text="deepest fall of what was booked")


class StrategyResult(Answer):
    """Trades whose entry's strongest vote was this strategy's."""

    strategy = Text(help_text="unknown: the entry's decision is not on record, or of another core")
    results = Part(source="parts", many=True, help_text="by account and currency; empty: none")


class StrategyPerformance(Answer):
    """Every strategy, in the order of votes."""

    items = StrategyResult(many=True)


class AttributedPart(Part):
    """One value of what was split by."""

    value = Text()


class Attribution(Answer):
    """Of each account and currency the best first."""

    by = serializers.ChoiceField(choices=list(WAYS))
    items = AttributedPart(many=True)


class Spread(Answer):
    """How measures are spread; null without any."""

    mean = Number(allow_null=True)
    median = Number(allow_null=True)
    p95 = Number(allow_null=True)


class Executed(Answer):
    """One account and purpose; measures are of the newest fills, counts of every intent."""

    account_id = serializers.UUIDField()
    account = Text()
    purpose = Text()
    intents = Count()
    filled = Count(help_text="at least in part")
    refused = Count()
    expired = Count()
    unknown = Count(help_text="no known outcome yet")
    fill_ratio = Number(
        allow_null=True, help_text="mean share of ended intents that filled; null: of stops, none"
    )
    fills = Count(source="measured.fills", help_text="that the measures are of")
    slippage_bps = Spread(help_text="worse than the price decided on is above 0")
    seconds_to_fill = Spread(help_text="market time from the decision to a fill")
    maker_share = Number(allow_null=True, help_text="of the notional")
    fee_bps = Number(allow_null=True, help_text="of the notional, fees in the quote currency")


class Acknowledged(Answer):
    """How long one venue took to answer, over the newest orders; wall time."""

    venue = Text()
    mode = Text()
    orders = Count()
    p50_ms = Number()
    p95_ms = Number()


class Execution(Answer):
    """By account and purpose, and by venue."""

    items = Executed(many=True)
    acknowledged = Acknowledged(many=True)
