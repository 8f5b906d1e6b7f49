"""What the API answers of decisions: the bar, the verdict, every gate, and what would have let it pass."""

from typing import Any

from rest_framework import serializers

from trading.api.answers import Answer, Moment
from trading.api.ledger_answers import Money
from trading.core.codes import Reason, Stage, Verdict
from trading.core.explain import words

Text = serializers.CharField
Number = serializers.FloatField
STAGES = [words(one) for one in Stage]


class Thought(Answer):
    """One decision in a sentence."""

    decision = serializers.IntegerField(source="row.id")
    bar_opened_at = Moment(source="row.bar_opened_at", help_text="of the bar it was decided on")
    bot = Text(source="row.revision.bot.name")
    pair = Text(source="row.instrument.symbol")
    stage = serializers.ChoiceField(source="words.stage", choices=STAGES)
    reason = serializers.ChoiceField(source="words.reason", choices=[words(one) for one in Reason])
    sentence = Text(source="words.sentence")


class Refusal(Answer):
    """The gate that said no."""

    name = Text()
    value = Number(allow_null=True)
    limit = Number(allow_null=True)


class Decision(Thought):
    """What was decided on one closed bar; prices and money as the core knew them."""

    bot_id = serializers.UUIDField(source="row.revision.bot_id")
    account_id = serializers.UUIDField(source="row.revision.bot.account_id")
    revision = serializers.IntegerField(source="row.revision.number")
    side = Text(source="words.side", allow_blank=True, help_text="of the candidate")
    strategy = Text(source="words.strategy", allow_blank=True, help_text="its strongest vote")
    regime = Text(source="words.regime", allow_blank=True)
    volatility = Text(source="words.volatility", allow_blank=True)
    agreeing = serializers.IntegerField(source="words.agreeing", allow_null=True)
    opposing = serializers.IntegerField(source="words.opposing", allow_null=True)
    score = Number(source="words.score", allow_null=True)
    confidence = Number(source="words.confidence", allow_null=True)
    probability = Number(source="words.probability", allow_null=True)
    close = Money(source="words.close", allow_null=True)
    equity = Money(source="words.equity", allow_null=True)
    refused_by = Refusal(source="refusal", allow_null=True)


class Decisions(Answer):
    """One page, newest bar first."""

    items = Decision(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Thoughts(Answer):
    """One page, newest bar first."""

    items = Thought(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Gate(Answer):
    """One question the candidate had to answer, in the order they are asked."""

    number = serializers.IntegerField()
    name = Text()
    asks = Text()
    unit = Text(source="unit.value")
    must = Text(help_text="how the value must stand to the limit")
    value = Number(allow_null=True)
    limit = Number(allow_null=True)
    verdict = serializers.ChoiceField(choices=[words(one) for one in Verdict])


class Vote(Answer):
    """One strategy's opinion; without a score it abstained."""

    strategy = Text()
    score = Number(allow_null=True)
    confidence = Number(allow_null=True)
    abstained = Text(help_text="why; voted: it did not")


class Setting(Answer):
    """A parameter as it was, and the nearest value that would have passed."""

    name = Text()
    now = Number()
    then = Number()


class Change(Answer):
    """How far the candidate missed the gate, and what together would have let it through."""

    missing = Number(allow_null=True)
    settings = Setting(many=True)
    otherwise = Text(allow_blank=True)


class Explained(Decision):
    """A decision gate by gate."""

    gates = Gate(many=True)
    votes = Vote(source="words.votes", many=True)
    smallest_change = Change(allow_null=True)
    book = serializers.DictField(help_text="the order book it knew; empty: none")
    timeframes = serializers.ListField(child=serializers.DictField())
    sized = serializers.DictField(help_text="what the risk was multiplied by")
    features = serializers.DictField()
    core_sha256 = Text(source="row.core_hash", help_text="its first 16 digits")
    sequence = serializers.IntegerField(source="row.sequence", help_text="in its engine's chain")
    hash = serializers.SerializerMethodField(help_text="SHA-256 of the entry and the one before")
    earlier = serializers.IntegerField(allow_null=True, help_text="decision before, same market")
    later = serializers.IntegerField(allow_null=True, help_text="decision after, same market")

    def get_hash(self, told: Any) -> str:
        """In hex."""
        return bytes(told["row"].hash).hex()
