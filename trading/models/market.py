"""Instrument, BarSeries: what can be traded and which bars are stored; the same for all tenants."""

from django.db import models


class Instrument(models.Model):
    """One tradable pair of a venue with its price and quantity grid."""

    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32, help_text="BASE/QUOTE, for example BTC/USD")
    base = models.CharField(max_length=16)
    quote = models.CharField(max_length=16)
    tick_size = models.DecimalField(max_digits=38, decimal_places=18)
    lot_size = models.DecimalField(max_digits=38, decimal_places=18)
    min_quantity = models.DecimalField(max_digits=38, decimal_places=18)
    min_notional = models.DecimalField(max_digits=38, decimal_places=18)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["venue", "symbol"], name="instrument_venue_symbol"),
            models.CheckConstraint(
                condition=models.Q(tick_size__gt=0, lot_size__gt=0, min_quantity__gt=0),
                name="instrument_grid_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.venue})"


class BarSeries(models.Model):
    """Index card of one stored series of bars; the bars themselves are Parquet files."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="series")
    timeframe_seconds = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    bars = models.PositiveBigIntegerField()
    missing = models.PositiveBigIntegerField(help_text="intervals without a bar; never filled")
    longest_gap_seconds = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=500)

    class Meta:
        verbose_name_plural = "bar series"
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "timeframe_seconds"], name="series_instrument_timeframe"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.timeframe_seconds} s"
