"""Index cards in the database: which instruments there are and which series are stored."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from trading.marketdata.grid import Grid
from trading.marketdata.store import SeriesKey, Summary
from trading.models import BarSeries, Instrument


@dataclass(frozen=True, slots=True)
class GivenGrid:
    """What the caller knows of an instrument's grid; None: not given."""

    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    min_quantity: Decimal | None = None
    min_notional: Decimal | None = None


@transaction.atomic
def register_series(
    *, key: SeriesKey, summary: Summary, inferred: Grid, given: GivenGrid
) -> BarSeries:
    """Write the cards of a series and its instrument."""
    instrument = _register_instrument(key, inferred, given)
    series, _ = BarSeries.objects.update_or_create(
        instrument=instrument,
        timeframe_seconds=key.timeframe_seconds,
        defaults={
            "first_at": _moment(summary.first_ns),
            "last_at": _moment(summary.last_ns),
            "bars": summary.bars,
            "missing": summary.missing,
            "longest_gap_seconds": summary.longest_gap_ns // 1_000_000_000,
            "sha256": summary.sha256,
            "path": key.path,
        },
    )
    return series


def _register_instrument(key: SeriesKey, inferred: Grid, given: GivenGrid) -> Instrument:
    """A known instrument keeps its grid unless another is given.

    A grid that moved with each import would change the results of every run over older bars.
    """
    base, quote = key.symbol.split("/")
    lot = given.lot_size or inferred.lot_size
    instrument, _ = Instrument.objects.get_or_create(
        venue=key.venue,
        symbol=key.symbol,
        defaults={
            "base": base,
            "quote": quote,
            "tick_size": given.tick_size or inferred.tick_size,
            "lot_size": lot,
            "min_quantity": given.min_quantity or lot,
            "min_notional": given.min_notional or Decimal(0),
        },
    )
    overrides = {name: value for name, value in asdict(given).items() if value is not None}
    if overrides:
        Instrument.objects.filter(id=instrument.id).update(**overrides)
        instrument.refresh_from_db()
    return instrument


def key_of(series: BarSeries) -> SeriesKey:
    """The store's key of a card."""
    instrument = series.instrument
    return SeriesKey(instrument.venue, instrument.symbol, series.timeframe_seconds)


def _moment(time_ns: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)
