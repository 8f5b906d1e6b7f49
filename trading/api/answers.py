"""What the API answers, field by field; the published schema follows from it."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.models import ExchangeAccount
from trading.marketdata.timeframes import format_timeframe
from trading.models import BacktestRun, BarSeries, Engine, EngineCommand
from trading.models import Hold as StoredHold
from trading.queries.backtests import headline

MS = 1000


class Moment(serializers.DateTimeField):
    """UTC, ISO-8601."""


class Milliseconds(serializers.IntegerField):
    """The same moment as epoch milliseconds."""

    def to_representation(self, value: Any) -> int:
        return round(value.timestamp() * MS)


class Answer(serializers.Serializer[Any]):
    """Read only; a moment ``x`` is told again as ``x_ms``."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The declared fields, each moment followed by its milliseconds."""
        told: dict[str, serializers.Field[Any, Any, Any, Any]] = {}
        for name, one in super().get_fields().items():
            told[name] = one
            if isinstance(one, Moment):
                told[f"{name}_ms"] = Milliseconds(
                    source=one.source or name, allow_null=one.allow_null
                )
        return told


class Health(Answer):
    """The process answers."""

    status = serializers.ChoiceField(choices=["ok"])


class Run(Answer):
    """A run of research: what was asked, how far it is, and by which hashes it is known."""

    run = serializers.IntegerField(source="number")
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=["QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"])
    request = serializers.DictField()
    done = serializers.IntegerField(help_text="evaluations finished")
    total = serializers.IntegerField(help_text="evaluations planned")
    trials = serializers.IntegerField(help_text="parameter sets tried; each counts for ever")
    error = serializers.CharField(allow_blank=True)
    headline = serializers.SerializerMethodField(
        help_text="the few numbers it is known by, named as in its result; empty before the end"
    )
    data_sha256 = serializers.CharField(source="data_hash", allow_blank=True)
    core_sha256 = serializers.CharField(source="core_hash", allow_blank=True)
    params_sha256 = serializers.CharField(source="params_hash", allow_blank=True)
    result_sha256 = serializers.CharField(source="result_hash", allow_blank=True)
    requested_by = serializers.CharField(source="requested_by.email", default=None, allow_null=True)
    created_at = Moment()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    archived_at = Moment(allow_null=True)

    @extend_schema_field(serializers.DictField())
    def get_headline(self, run: BacktestRun) -> Mapping[str, Any]:
        """Of the backtest, of the best set, or of the tests."""
        return headline(run)


class Runs(Answer):
    """One page of runs, newest first."""

    items = Run(many=True)
    next = serializers.CharField(allow_null=True, help_text="cursor of the next page")


class Trial(Answer):
    """One parameter set of a run."""

    window = serializers.IntegerField()
    sample = serializers.CharField()
    index = serializers.IntegerField()
    values = serializers.DictField()
    metrics = serializers.DictField(allow_null=True)
    error = serializers.CharField(allow_blank=True)


class Trials(Answer):
    """One page of trials, in order."""

    items = Trial(many=True)
    next = serializers.CharField(allow_null=True, help_text="cursor of the next page")


class Series(Answer):
    """Stored bars that can be tested on."""

    exchange = serializers.CharField(source="instrument.venue")
    pair = serializers.CharField(source="instrument.symbol")
    timeframe = serializers.SerializerMethodField()
    first_at = Moment()
    last_at = Moment()
    bars = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="intervals without a bar; never filled")

    def get_timeframe(self, card: BarSeries) -> str:
        """``1m``, ``1h`` …"""
        return format_timeframe(card.timeframe_seconds)


class Profile(Answer):
    """A named starting point for parameters."""

    name = serializers.CharField()
    params = serializers.DictField()


class Parameter(Answer):
    """One parameter with the bounds it must stay in."""

    name = serializers.CharField(help_text="dotted")
    default = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    step = serializers.FloatField(help_text="0: any value")
    unit = serializers.CharField(allow_blank=True)
    help = serializers.CharField(allow_blank=True)


class Hold(Answer):
    """A standing reason not to enter."""

    kind = serializers.ChoiceField(choices=StoredHold.Kind.choices)
    reason = serializers.CharField()
    lifted_by = serializers.CharField()
    placed_at = Moment()


class OpenPosition(Answer):
    """A position that is held."""

    pair = serializers.CharField(source="instrument.symbol")
    side = serializers.CharField()
    quantity = serializers.CharField()
    entry_price = serializers.CharField()
    stop_price = serializers.CharField(allow_null=True)
    opened_at = Moment()


class ForeignOrder(Answer):
    """A working order of the account that is not ours; it is never touched."""

    venue_order_id = serializers.CharField()
    pair = serializers.CharField(source="symbol")
    side = serializers.CharField()
    quantity = serializers.CharField()
    first_seen_at = Moment()
    last_seen_at = Moment()


class EngineStatus(Answer):
    """One engine: wanted, seen, and what keeps it from entering."""

    engine = serializers.UUIDField(source="id")
    account = serializers.CharField()
    exchange = serializers.CharField()
    mode = serializers.ChoiceField(choices=tuple(ExchangeAccount.Mode))
    currency = serializers.CharField()
    desired = serializers.ChoiceField(choices=Engine.Desired.choices)
    observed = serializers.ChoiceField(choices=Engine.Observed.choices)
    detail = serializers.CharField(allow_blank=True)
    core_sha256 = serializers.CharField(source="core_hash", allow_blank=True)
    heartbeat_at = Moment(allow_null=True)
    last_bar_at = Moment(allow_null=True, help_text="market time of the newest decision")
    equity = serializers.CharField(allow_null=True)
    holds = Hold(many=True)
    positions = OpenPosition(many=True)
    foreign_orders = ForeignOrder(many=True)


class Status(Answer):
    """The workspace at a glance."""

    version = serializers.CharField()
    tenant = serializers.UUIDField(help_text="the workspace")
    at = Moment()
    engines = EngineStatus(many=True)


def _age(words: str) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=f"since {words}; null: never")


class EngineAge(Answer):
    """How long ago an engine that should run last spoke, heard a price, saved itself and was proven."""

    engine = serializers.UUIDField()
    heartbeat_age_seconds = _age("it last spoke")
    tick_age_seconds = _age("it last heard a price between bars, as replays never do")
    saved_age_seconds = _age("it last wrote down what it heard and decided")
    proof_age_seconds = _age("its books were last held against the venue's")
    last_bar_at = Moment(allow_null=True, help_text="market time of the newest decision")
    lacks_news = serializers.BooleanField(
        help_text="a hold stands because news of its market are missing"
    )


class Heartbeat(Answer):
    """For watchdogs."""

    status = serializers.ChoiceField(choices=["ok", "degraded", "critical"])
    at = Moment()
    engines = EngineAge(many=True)


class Command(Answer):
    """An order to an engine, and what became of it."""

    command = serializers.UUIDField(source="id")
    engine = serializers.UUIDField(source="engine_id")
    kind = serializers.ChoiceField(choices=EngineCommand.Kind.choices)
    reason = serializers.CharField(allow_blank=True)
    requested_at = Moment()
    finished_at = Moment(allow_null=True, help_text="null: the engine has not done it yet")
    outcome = serializers.CharField(allow_blank=True)


class Wish(Answer):
    """Whether an engine is to run, and what is seen of it."""

    engine = serializers.UUIDField(source="id")
    desired = serializers.ChoiceField(choices=Engine.Desired.choices)
    observed = serializers.ChoiceField(choices=Engine.Observed.choices)
    detail = serializers.CharField(allow_blank=True, help_text="why it is as it is observed")


class FieldError(Answer):
    """What is wrong with one field of a request."""

    field = serializers.CharField(allow_blank=True)
    message = serializers.CharField()


class Problem(Answer):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.ListField(child=FieldError(), required=False)  # type: ignore[assignment]  # RFC 9457's name; DRF's own property is for input
