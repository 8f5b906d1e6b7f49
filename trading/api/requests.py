"""What may be asked of research: bodies checked field by field, turned into frozen requests."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from tenants.api.views import Strict
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.core.params import InvalidParams, to_mapping, validate
from trading.marketdata.names import InvalidSymbol, parse_symbol
from trading.marketdata.timeframes import InvalidTimeframe, parse_timeframe
from trading.research import requests
from trading.research.objectives import OBJECTIVES
from trading.research.requests import (
    FOREVER_NS,
    MOST_EPOCHS,
    MOST_PROBES,
    SAMPLERS,
    BacktestRequest,
    InvalidRequest,
    ResearchRequest,
    Search,
    Walk,
)
from trading.research.space import parse_dimension, with_values

MOST_PAIRS = 50
PROFILE_NAMES = sorted(PROFILES)
NS_PER_MS = 1_000_000


class Pair(serializers.CharField):
    """``BASE/QUOTE``."""

    def __init__(self, **given: Any) -> None:
        super().__init__(max_length=32, help_text="BASE/QUOTE, such as BTC/USD", **given)

    def to_internal_value(self, data: Any) -> str:
        try:
            return parse_symbol(super().to_internal_value(data))
        except InvalidSymbol as error:
            raise serializers.ValidationError(str(error)) from None


class Timeframe(serializers.CharField):
    """``1m``, ``5m``, ``1h`` …"""

    def __init__(self, **given: Any) -> None:
        super().__init__(max_length=8, **given)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            parse_timeframe(text)
        except InvalidTimeframe as error:
            raise serializers.ValidationError(str(error)) from None
        return text


class BacktestBody(Strict):
    """One parameter set over stored bars."""

    kind = requests.BACKTEST
    pairs = serializers.ListField(child=Pair(), min_length=1, max_length=MOST_PAIRS)
    exchange = serializers.CharField(
        required=False, max_length=32, help_text="needed where several venues store the pairs"
    )
    timeframe = Timeframe(required=False, default="1m", help_text="of the bars decided on")
    timeframe_detail = Timeframe(
        required=False, help_text="finer stored bars that tell the order of events within a bar"
    )
    start_ms = serializers.IntegerField(
        required=False, min_value=0, max_value=2**43, help_text="epoch ms; without: the first bar"
    )
    end_ms = serializers.IntegerField(
        required=False, min_value=1, max_value=2**43, help_text="not included; without: the last"
    )
    profile = serializers.ChoiceField(required=False, choices=PROFILE_NAMES)
    params = serializers.DictField(
        required=False,
        child=serializers.JSONField(),
        help_text="dotted names and values that differ from the profile's, "
        "such as exits.stop_scale, or whole groups as objects",
    )
    cash = serializers.DecimalField(
        required=False,
        default=Decimal(10_000),
        max_digits=20,
        decimal_places=8,
        min_value=Decimal(1),
        max_value=Decimal(10**12),
    )
    seed = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**32 - 1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Everything together must be a request that can be."""
        field = "params"
        try:
            base = self._base(attrs)
            field = "space"
            self.request = self.research(base, attrs)
        except InvalidParams as error:
            raise serializers.ValidationError({field: [str(error)]}) from None
        except InvalidRequest as error:
            raise serializers.ValidationError(str(error)) from None
        return attrs

    def research(self, base: BacktestRequest, attrs: dict[str, Any]) -> ResearchRequest:
        """The request of this kind."""
        return ResearchRequest(self.kind, base)

    def _base(self, attrs: dict[str, Any]) -> BacktestRequest:
        end, detail = attrs.get("end_ms"), attrs.get("timeframe_detail")
        return BacktestRequest(
            symbols=tuple(attrs["pairs"]),
            venue=attrs.get("exchange"),
            timeframe_seconds=parse_timeframe(attrs["timeframe"]),
            start_ns=attrs.get("start_ms", 0) * NS_PER_MS,
            end_ns=FOREVER_NS if end is None else end * NS_PER_MS,
            params=params_on(PROFILES[attrs.get("profile", "balanced")], attrs.get("params", {})),
            cash=attrs["cash"],
            seed=attrs["seed"],
            detail_seconds=parse_timeframe(detail) if detail else 0,
        )


def params_on(base: PipelineParams, given: dict[str, Any]) -> PipelineParams:
    """Parameters with some changed: by dotted names, or whole groups as objects.

    Raises:
        InvalidParams: a parameter is unknown or outside its bounds.
    """
    groups = {name: value for name, value in given.items() if isinstance(value, dict)}
    if groups:
        told = to_mapping(base)
        for name, group in groups.items():
            told[name] = {**told[name], **group} if isinstance(told.get(name), dict) else group
        base = validate(PipelineParams, told)
    single = {name: value for name, value in given.items() if name not in groups}
    values = {}
    for name, value in single.items():
        if isinstance(value, list):
            raise InvalidParams(f"{name}: one value, was {value!r:.80}")
        dimension = parse_dimension(f"{name}={value}")
        if len(dimension.values) != 1:
            raise InvalidParams(f"{name}: one value here; /backtest/optimize tries several")
        values[name] = dimension.values[0]
    return with_values(base, values)


class SearchBody(BacktestBody):
    """The best of many parameter sets."""

    kind = requests.SWEEP
    space = serializers.ListField(
        child=serializers.CharField(max_length=2_000),
        min_length=1,
        max_length=50,
        help_text="name=low:high:step, name=a,b,c, or a name alone for its bounds",
    )
    sampler = serializers.ChoiceField(required=False, default="grid", choices=SAMPLERS)
    epochs = serializers.IntegerField(
        required=False, default=100, min_value=1, max_value=MOST_EPOCHS
    )
    objective = serializers.ChoiceField(required=False, default="sharpe", choices=tuple(OBJECTIVES))
    min_trades = serializers.IntegerField(
        required=False, default=1, min_value=0, max_value=1_000_000
    )

    def research(self, base: BacktestRequest, attrs: dict[str, Any]) -> ResearchRequest:
        return ResearchRequest(self.kind, base, self._search(attrs))

    def _search(self, attrs: dict[str, Any]) -> Search:
        return Search(
            space=tuple(map(parse_dimension, attrs["space"])),
            sampler=attrs["sampler"],
            epochs=attrs["epochs"],
            objective=attrs["objective"],
            min_trades=attrs["min_trades"],
        )


class WalkBody(SearchBody):
    """Chosen on one part of the bars, tested on the next, again and again."""

    kind = requests.WALK_FORWARD
    train_days = serializers.IntegerField(min_value=1, max_value=10_000)
    test_days = serializers.IntegerField(min_value=1, max_value=10_000)
    purge_bars = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=1_000_000
    )
    anchored = serializers.BooleanField(required=False, default=False)

    def research(self, base: BacktestRequest, attrs: dict[str, Any]) -> ResearchRequest:
        walk = Walk(attrs["train_days"], attrs["test_days"], attrs["purge_bars"], attrs["anchored"])
        return ResearchRequest(self.kind, base, self._search(attrs), walk)


class LookaheadBody(BacktestBody):
    """Would any decision have been another with other bars after it?"""

    kind = requests.LOOKAHEAD
    probes = serializers.IntegerField(
        required=False, default=20, min_value=1, max_value=MOST_PROBES
    )

    def research(self, base: BacktestRequest, attrs: dict[str, Any]) -> ResearchRequest:
        return ResearchRequest(self.kind, base, probes=attrs["probes"])
