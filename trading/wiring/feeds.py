"""Market feeds of an account's venue: stored bars replayed, or a seeded synthetic market."""

from collections.abc import Sequence

from tenants.models import ExchangeAccount
from trading.engine.messages import MarketSpec
from trading.engine.ports import Clock
from trading.exchanges import synthetic
from trading.exchanges.replay import FOREVER, BarSource, InvalidSpeed, ReplayFeed, parse_speed
from trading.ledger.rows import to_ns
from trading.marketdata.series import StoredBars
from trading.marketdata.store import SeriesKey, StoreError
from trading.models import BarSeries, Engine
from trading.wiring.bars import open_store

NS_PER_SECOND = 1_000_000_000
SYNTHETIC_SEED = 20_240_101


class CannotFeed(Exception):
    """There are no bars for a market; the text says which and what to do."""


def build_feed(
    *,
    account: ExchangeAccount,
    engine: Engine,
    specs: Sequence[MarketSpec],
    speed: str | None,
    clock: Clock,
) -> ReplayFeed:
    """The feed of an engine.

    Raises:
        CannotFeed: a venue without a feed, no stored bars, a bad speed, or mixed timeframes.
    """
    if len({spec.timeframe_ns for spec in specs}) > 1:
        raise CannotFeed("all bots of one engine must trade the same timeframe")
    try:
        pace = parse_speed(speed or engine.speed)
    except InvalidSpeed as error:
        raise CannotFeed(str(error)) from None
    sources = [bar_source(venue=account.venue, spec=spec) for spec in specs]
    first_ns = synthetic.START_NS if account.venue == "synthetic" else 0
    return ReplayFeed(
        sources=sources,
        clock=clock,
        speed=pace,
        start_ns=to_ns(engine.replay_from) if engine.replay_from else first_ns,
        end_ns=to_ns(engine.replay_to) if engine.replay_to else FOREVER,
    )


def bar_source(*, venue: str, spec: MarketSpec) -> BarSource:
    """Where the bars of one market come from.

    Raises:
        CannotFeed: a venue without a feed in this version, or nothing stored.
    """
    seconds = spec.timeframe_ns // NS_PER_SECOND
    if venue == "synthetic":
        if seconds != 60:
            raise CannotFeed("the synthetic market has one-minute bars; choose timeframe 1m")
        return synthetic.SyntheticBars(SYNTHETIC_SEED, spec.symbol)
    if venue != "replay":
        raise CannotFeed(f"{venue} has no feed in this version; choose replay or synthetic")
    return stored_source(instrument_id=spec.instrument_id, name=spec.symbol, seconds=seconds)


def stored_source(*, instrument_id: int, name: str, seconds: int) -> StoredBars:
    """The coarsest stored series that can be rolled up to the wanted timeframe.

    Raises:
        CannotFeed: nothing stored fits.
    """
    stored = BarSeries.objects.filter(instrument_id=instrument_id).select_related("instrument")
    fitting = [s for s in stored if seconds % s.timeframe_seconds == 0]
    if not fitting:
        raise CannotFeed(f"no bars of {name} fit {seconds} s; import some with import_bars")
    series = max(fitting, key=lambda one: one.timeframe_seconds)
    try:
        key = SeriesKey(series.instrument.venue, series.instrument.symbol, series.timeframe_seconds)
    except StoreError as error:
        raise CannotFeed(str(error)) from None
    return StoredBars(open_store(), key, seconds)
