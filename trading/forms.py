"""Forms of trading: what research is launched with, and what a bot is set to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django import forms

from tenants.models import ExchangeAccount
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.core.nearest import look_up
from trading.core.params import to_mapping, validate
from trading.marketdata.timeframes import COMMON, format_timeframe, parse_timeframe
from trading.models import BarSeries, BotRevision, Instrument
from trading.queries.bots import whole_params
from trading.research.objectives import OBJECTIVES
from trading.research.requests import (
    BACKTEST,
    FOREVER_NS,
    MOST_EPOCHS,
    SAMPLERS,
    SWEEP,
    WALK_FORWARD,
    BacktestRequest,
    InvalidRequest,
    ResearchRequest,
    Search,
    Walk,
)
from trading.research.space import InvalidSpace, list_parameters, parse_dimension

NS = 1_000_000_000
REVISION = "revision"  # the choice of a bot's own parameters
PACES = {"1": "as it was", "60": "60 times as fast", "600": "600 times as fast", "max": "at once"}


class BacktestForm(forms.Form):
    """Choices are what is stored; everything else is refused beside its field."""

    pairs = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        help_text="Several share one account.",
        error_messages={"required": "Choose at least one pair."},
    )
    timeframe = forms.ChoiceField(choices=[(name, name) for name in COMMON], initial="1h")
    start = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    end = forms.DateField(
        required=False,
        label="Until",
        help_text="Not included. Empty: everything stored.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    profile = forms.ChoiceField(
        choices=[(name, name.replace("_", " ").capitalize()) for name in PROFILES]
    )
    cash = forms.DecimalField(
        initial=10_000, min_value=1, max_value=10**12, max_digits=20, decimal_places=8
    )
    vary = forms.CharField(
        required=False,
        label="Parameters to vary",
        help_text="One a line: name=low:high:step, name=a,b,c, or a name alone for its bounds. "
        "Empty: a single run.",
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": "exits.stop_scale=1:4:0.5", "spellcheck": "false"}
        ),
    )
    sampler = forms.ChoiceField(
        required=False, choices=[(name, name) for name in SAMPLERS], initial="grid"
    )
    epochs = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_EPOCHS,
        initial=100,
        help_text="How many sets random and tpe try.",
    )
    objective = forms.ChoiceField(
        required=False, choices=[(name, name.replace("_", " ")) for name in OBJECTIVES]
    )
    train_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000,
        help_text="With days to test: choose on these, test on the next, and so on (walk-forward).",
    )
    test_days = forms.IntegerField(required=False, min_value=1, max_value=10_000)
    SEARCH = ("vary", "sampler", "epochs", "objective", "train_days", "test_days")

    def __init__(
        self,
        *args: Any,
        series: list[BarSeries],
        revision: BotRevision | None = None,
        **given: Any,
    ) -> None:
        super().__init__(*args, **given)
        self._params: dict[str, PipelineParams] = dict(PROFILES)
        if revision is not None:
            self._offer(revision)
        self._series = {f"{one.instrument.venue} {one.instrument.symbol}": one for one in series}
        self.fields["pairs"].choices = [  # type: ignore[attr-defined]  # a choice field
            (key, f"{key} {format_timeframe(one.timeframe_seconds)}, {one.first_at:%Y-%m-%d} "
                  f"to {one.last_at:%Y-%m-%d}")
            for key, one in self._series.items()
        ]  # fmt: skip

    def _offer(self, revision: BotRevision) -> None:
        """A bot's own parameters beside the profiles, chosen from the first."""
        self._params[REVISION] = validate(PipelineParams, whole_params(revision.params))
        profile = self.fields["profile"]
        profile.choices = [(REVISION, str(revision)), *profile.choices]  # type: ignore[attr-defined]  # a choice field

    def clean(self) -> dict[str, Any]:
        """Pairs, timeframe and range must fit each other and what is stored."""
        cleaned: dict[str, Any] = super().clean() or {}
        chosen = [self._series[key] for key in cleaned.get("pairs", [])]
        if not chosen or "timeframe" not in cleaned:
            return cleaned
        venues = sorted({one.instrument.venue for one in chosen})
        if len(venues) > 1:
            self.add_error("pairs", f"One venue at a time; these are of {' and '.join(venues)}.")
        for one in chosen:
            if parse_timeframe(cleaned["timeframe"]) % one.timeframe_seconds:
                stored = format_timeframe(one.timeframe_seconds)
                self.add_error(
                    "timeframe", f"{one.instrument.symbol} is stored as {stored} bars only."
                )
        self._check_range(cleaned, chosen)
        if not self.errors:
            try:
                self.request = self._research(cleaned, self._request(cleaned, chosen, venues[0]))
            except InvalidSpace as error:
                self.add_error("vary", f"{str(error)[0].upper()}{str(error)[1:]}.")
            except InvalidRequest as error:
                self.add_error(None, f"{str(error)[0].upper()}{str(error)[1:]}.")
        return cleaned

    def basic_fields(self) -> list[forms.BoundField]:
        """What every launch needs."""
        return [self[name] for name in self.fields if name not in self.SEARCH]

    def search_fields(self) -> list[forms.BoundField]:
        """What trying many sets needs."""
        return [self[name] for name in self.SEARCH]

    def wants_search(self) -> bool:
        """Whether any of it was filled in or refused."""
        return any(self.data.get(name) for name in ("vary", "train_days", "test_days"))

    def _research(self, cleaned: dict[str, Any], base: BacktestRequest) -> ResearchRequest:
        """One run, a sweep, or a walk-forward, by what was filled in."""
        lines = [line.strip() for line in cleaned["vary"].splitlines() if line.strip()]
        train, test = cleaned.get("train_days"), cleaned.get("test_days")
        if bool(train) != bool(test):
            raise InvalidRequest("train and test days: a walk-forward needs both, a sweep neither")
        if not lines:
            if train:
                raise InvalidRequest("parameters to vary: a walk-forward needs at least one")
            return ResearchRequest(BACKTEST, base)
        search = Search(
            space=tuple(parse_dimension(line) for line in lines),
            sampler=cleaned["sampler"] or "grid",
            epochs=cleaned["epochs"] or 100,
            objective=cleaned["objective"] or "sharpe",
            min_trades=1,
        )
        if not (train and test):
            return ResearchRequest(SWEEP, base, search)
        return ResearchRequest(WALK_FORWARD, base, search, Walk(train, test, purge_bars=0))

    def _check_range(self, cleaned: dict[str, Any], chosen: list[BarSeries]) -> None:
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and start >= end:
            self.add_error("end", "Must lie after the first day.")
            return
        for one in chosen:
            first, last = one.first_at.date(), one.last_at.date()
            if (start and start > last) or (end and end <= first):
                field = "start" if start and start > last else "end"
                self.add_error(
                    field, f"{one.instrument.symbol} has bars from {first} to {last} only."
                )

    def _request(
        self, cleaned: dict[str, Any], chosen: list[BarSeries], venue: str
    ) -> BacktestRequest:
        start, end = cleaned.get("start"), cleaned.get("end")
        return BacktestRequest(
            symbols=tuple(one.instrument.symbol for one in chosen),
            venue=venue,
            timeframe_seconds=parse_timeframe(cleaned["timeframe"]),
            start_ns=_midnight_ns(start) if start else 0,
            end_ns=_midnight_ns(end) if end else FOREVER_NS,
            params=self._params[cleaned["profile"]],
            cash=cleaned["cash"],
        )


def _midnight_ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * NS


class ParametersForm(forms.Form):
    """Every parameter as its declaration bounds it; generated, so that none is forgotten."""

    based_on = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, params: Mapping[str, Any], **given: Any) -> None:
        super().__init__(*args, **given)
        for one in list_parameters():
            whole = isinstance(one["default"], int)
            self.fields[one["name"]] = (forms.IntegerField if whole else forms.FloatField)(
                min_value=one["low"],
                max_value=one["high"],
                initial=look_up(params, one["name"]),
                widget=forms.NumberInput(
                    attrs={"class": "form-control text-end", "step": 1 if whole else "any"}
                ),
                error_messages={
                    "required": f"A number from {one['low']:g} to {one['high']:g}.",
                },
            )

    @property
    def params(self) -> dict[str, Any]:
        """What was filled in, nested."""
        found: dict[str, Any] = {}
        for one in list_parameters():
            *groups, leaf = one["name"].split(".")
            inner = found
            for name in groups:
                inner = inner.setdefault(name, {})
            inner[leaf] = self.cleaned_data[one["name"]]
        return found


class AccountForm(forms.Form):
    """A new exchange account; operations check what its fields mean together."""

    venue = forms.ChoiceField(choices=ExchangeAccount.Venue.choices, initial="synthetic")
    name = forms.CharField(max_length=60, help_text="How this workspace calls it.")
    currency = forms.CharField(
        max_length=16, initial="USD", help_text="Pairs are quoted in it; invented markets in USD."
    )
    cash = forms.DecimalField(
        initial=10_000, max_digits=20, decimal_places=8, label="Paper money to begin with"
    )
    speed = forms.ChoiceField(
        choices=tuple(PACES.items()), initial="60", label="Pace", help_text="Of replayed bars."
    )


class AccountNameForm(forms.Form):
    """Another name for an account."""

    name = forms.CharField(max_length=60)


class AccountTierForm(forms.Form):
    """An account's standing at its venue."""

    tier = forms.ChoiceField(
        choices=ExchangeAccount.Tier.choices,
        help_text="As Kraken's own settings show it. It holds from the engine's next start on.",
    )


class BotForm(forms.Form):
    """A new bot; its pairs are those of its account."""

    name = forms.CharField(max_length=80)
    pairs = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": "Choose at least one pair."},
    )
    timeframe = forms.ChoiceField(choices=[(name, name) for name in COMMON], initial="1m")
    profile = forms.ChoiceField(
        choices=[(name, name.replace("_", " ").capitalize()) for name in PROFILES],
        help_text="Every parameter can be changed afterwards.",
    )

    def __init__(self, *args: Any, instruments: Sequence[Instrument], **given: Any) -> None:
        super().__init__(*args, **given)
        symbols = dict.fromkeys(one.symbol for one in instruments)
        self.fields["pairs"].choices = [(name, name) for name in symbols]  # type: ignore[attr-defined]  # a choice field

    @property
    def wanted(self) -> dict[str, Any]:
        """What was filled in, as the use case takes it."""
        chosen = self.cleaned_data
        return {
            "name": chosen["name"],
            "symbols": chosen["pairs"],
            "timeframe_seconds": parse_timeframe(chosen["timeframe"]),
            "params": to_mapping(PROFILES[chosen["profile"]]),
        }
