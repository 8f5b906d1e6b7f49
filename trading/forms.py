"""Forms of trading: what a backtest is launched with."""

from datetime import UTC, date, datetime
from typing import Any

from django import forms

from trading.core.config.profiles import PROFILES
from trading.marketdata.timeframes import COMMON, format_timeframe, parse_timeframe
from trading.models import BarSeries
from trading.research.requests import FOREVER_NS, BacktestRequest, InvalidRequest

NS = 1_000_000_000


class BacktestForm(forms.Form):
    """Choices are what is stored; everything else is refused beside its field."""

    pairs = forms.MultipleChoiceField(
        help_text="Hold Ctrl to choose several; they share one account.",
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

    def __init__(self, *args: Any, series: list[BarSeries], **given: Any) -> None:
        super().__init__(*args, **given)
        self._series = {f"{one.instrument.venue} {one.instrument.symbol}": one for one in series}
        self.fields["pairs"].choices = [  # type: ignore[attr-defined]  # a choice field
            (key, f"{key} {format_timeframe(one.timeframe_seconds)}, {one.first_at:%Y-%m-%d} "
                  f"to {one.last_at:%Y-%m-%d}")
            for key, one in self._series.items()
        ]  # fmt: skip

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
                self.request = self._request(cleaned, chosen, venues[0])
            except InvalidRequest as error:
                self.add_error(None, f"{str(error)[0].upper()}{str(error)[1:]}.")
        return cleaned

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
            params=PROFILES[cleaned["profile"]],
            cash=cleaned["cash"],
        )


def _midnight_ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * NS
