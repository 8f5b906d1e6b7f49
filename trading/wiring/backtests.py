"""Composes a backtest: stored bars, instruments and parameters into one run and its facts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from trading.backtest import evidence, report, report_data, trips
from trading.core.params import params_hash, to_mapping
from trading.core.records import BAR
from trading.engine.messages import MarketSpec
from trading.marketdata.checks import moment
from trading.marketdata.series import StoredBars, choose_bars
from trading.marketdata.store import BarStore, SeriesNotFound
from trading.marketdata.timeframes import NS, format_timeframe
from trading.models import Instrument
from trading.research.requests import BacktestRequest


class BacktestRefused(Exception):
    """The request asks for something that cannot be; the text names it."""


class NothingStored(Exception):
    """There are no bars, or no instrument, for what was asked; the text says what there is."""


@dataclass(frozen=True, slots=True)
class Market:
    """One pair's instrument and the bars that will be traded."""

    instrument: Instrument
    source: StoredBars
    bars: np.ndarray
    finer: np.ndarray = field(default_factory=lambda: np.zeros(0, BAR))


def load_markets(*, store: BarStore, request: BacktestRequest) -> list[Market]:
    """Instruments and bars of the request's pairs, in its order.

    Raises:
        NothingStored: unknown pair or venue, or no bars in the range.
        BacktestRefused: several venues store a pair and none was named.
        StoreError: a stored file is damaged.
    """
    return [_market(store, symbol, request) for symbol in request.symbols]


def _market(store: BarStore, symbol: str, request: BacktestRequest) -> Market:
    venue = request.venue or _only_venue(store, symbol, request.timeframe_seconds)
    source, bars = _stored(store, venue, symbol, request.timeframe_seconds, request)
    instrument = Instrument.objects.filter(venue=venue, symbol=symbol).first()
    if instrument is None:
        raise NothingStored(f"{symbol} of {venue} has bars but no instrument: import them again")
    if not request.detail_seconds:
        return Market(instrument, source, bars)
    return Market(
        instrument, source, bars, _stored(store, venue, symbol, request.detail_seconds, request)[1]
    )


def _stored(
    store: BarStore, venue: str, symbol: str, seconds: int, request: BacktestRequest
) -> tuple[StoredBars, np.ndarray]:
    """The stored bars of one timeframe within the request's range."""
    try:
        source = choose_bars(store, venue=venue, symbol=symbol, timeframe_seconds=seconds)
    except SeriesNotFound as error:
        raise NothingStored(str(error)) from error
    pieces = list(source.iter_bars(start_ns=request.start_ns, end_ns=request.end_ns))
    bars = np.concatenate(pieces) if pieces else np.empty(0)
    if len(bars) == 0:
        whole = store.summarize(source.key)
        raise NothingStored(
            f"no bars of {source.key} in the time range; stored are "
            f"{moment(whole.first_ns)} to {moment(whole.last_ns)} UTC"
        )
    return source, bars


def _only_venue(store: BarStore, symbol: str, seconds: int) -> str:
    keys = store.stored_keys()
    venues = {
        key.venue for key in keys if key.symbol == symbol and seconds % key.timeframe_seconds == 0
    }
    if len(venues) == 1:
        return venues.pop()
    if venues:
        raise BacktestRefused(
            f"{symbol} is stored of {', '.join(sorted(venues))}: name one with --exchange"
        )
    near = get_close_matches(symbol, {key.symbol for key in keys}, 3)
    hint = f"; near is {', '.join(near)}" if near else ""
    stored = ", ".join(map(str, keys[:20])) or "nothing; use import_bars or download_bars first"
    raise NothingStored(
        f"no bars of {symbol} fit {format_timeframe(seconds)}{hint}; stored is {stored}"
    )


def fresh_markets(markets: Sequence[Market], request: BacktestRequest) -> np.ndarray:
    """MARKET records as the engine would begin with them."""
    from trading.engine.state import new_markets  # loads the compiler

    return new_markets([_spec(number, market, request) for number, market in enumerate(markets)])


def grid_of(market: Market) -> trips.Grid:
    """Name and steps of a market."""
    row = market.instrument
    return trips.Grid(row.symbol, row.tick_size, row.lot_size)


def run_markets(markets: Sequence[Market], request: BacktestRequest) -> report.Run:
    """Trade the bars with the request's parameters and cash."""
    from trading.backtest import runner  # compiled code: only a run pays for it

    cash, series = float(request.cash), [market.bars for market in markets]
    result = runner.run(
        series=series,
        markets=fresh_markets(markets, request),
        params=[request.params] * len(markets),
        cash=cash,
        finer=[market.finer for market in markets] if request.detail_seconds else (),
    )
    grids = [grid_of(market) for market in markets]
    closed, quote = trips.round_trips(result, grids), markets[0].instrument.quote
    return report.Run(result, closed, grids, series, request.params.costs, cash, quote)


def describe(
    run: report.Run,
    markets: Sequence[Market],
    request: BacktestRequest,
    *,
    trials: evidence.Trials | None = None,
) -> dict[str, Any]:
    """All facts of a run, fit for JSON; ``trials``: the variants it was chosen from."""
    from trading.core.jit import CORE_HASH

    return {
        "timeframe": format_timeframe(request.timeframe_seconds),
        "markets": [_market_facts(market, request) for market in markets],
        **report.describe(run, seed=request.seed or report.SEED, trials=trials),
        "assumptions": _assumptions(request),
        "core_sha256": CORE_HASH,
        "params_sha256": params_hash(request.params),
        "params": to_mapping(request.params),
        "trades": [_trade_facts(trip) for trip in run.trips],
    }


def draw(run: report.Run, request: BacktestRequest) -> dict[str, Any]:
    """What the report of a run draws."""
    return report_data.build(run, seed=request.seed or report.SEED)


def describe_data(markets: Sequence[Market], request: BacktestRequest) -> dict[str, Any]:
    """What was worked on, of a run that is more than one backtest."""
    return {
        "currency": markets[0].instrument.quote,
        "timeframe": format_timeframe(request.timeframe_seconds),
        "markets": [_market_facts(market, request) for market in markets],
        "params_sha256": params_hash(request.params),
        "params": to_mapping(request.params),
    }


def _spec(number: int, market: Market, request: BacktestRequest) -> MarketSpec:
    """The engine's own description of a market, so that both start from the same record."""
    row = market.instrument
    return MarketSpec(
        index=number,
        bot_id="",
        revision_id="",
        instrument_id=row.id,
        venue=row.venue,
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        tick_size=row.tick_size,
        lot_size=row.lot_size,
        min_quantity=row.min_quantity,
        min_notional=row.min_notional,
        timeframe_ns=request.timeframe_seconds * NS,
    )


def _market_facts(market: Market, request: BacktestRequest) -> dict[str, Any]:
    opens, frame_ns = market.bars["open_ns"], request.timeframe_seconds * NS
    steps = np.diff(opens) // frame_ns
    return {
        "symbol": market.instrument.symbol,
        "venue": market.instrument.venue,
        "stored_timeframe": format_timeframe(market.source.key.timeframe_seconds),
        "bars": len(opens),
        "first_at": _utc(int(opens[0])),
        "last_at": _utc(int(opens[-1])),
        "missing": int((steps - 1).sum()),
        "longest_gap_bars": int(steps.max() - 1) if len(steps) else 0,
        "sha256": hashlib.sha256(market.bars.tobytes()).hexdigest(),
        "tick_size": f"{market.instrument.tick_size.normalize():f}",
        "lot_size": f"{market.instrument.lot_size.normalize():f}",
    }


def _assumptions(request: BacktestRequest) -> list[str]:
    costs, entries = request.params.costs, request.params.entries
    told = [
        "entries and exits decided at a bar's close fill at the next bar's open, moved by "
        f"{costs.latency_ms:g} ms of latency towards that bar's worse end",
        f"market and stop orders are worse by half a spread of {costs.half_spread_bps:g} bps, "
        f"{costs.slippage_bps:g} bps of slippage and {costs.impact_bps:g} bps times the root of their "
        f"share of the bar's volume, rounded to the tick against us, and pay the taker fee of "
        f"{costs.taker_fee_bps:g} bps",
        "a stop fills at the open where the bar opens beyond it, otherwise at its trigger once the "
        "bar's range touches it, before anything else in that range; targets are taken at the close",
    ]
    if entries.limit:
        told.append(
            f"entries are post-only limits {entries.limit_offset_bps:g} bps from the close for "
            f"{entries.limit_bars} bars: they fill only where the price goes through them by a tick, "
            f"at most {costs.fill_share:.0%} of the bar's volume, and pay the maker fee of "
            f"{costs.maker_fee_bps:g} bps"
        )
    if entries.limit and (entries.chases or entries.fallback):
        then = ", then at the market" if entries.fallback else ""
        told.append(
            f"a limit that got nothing is asked for again at a later close, {entries.chases} times at "
            f"most{then}"
        )
    if request.detail_seconds:
        told.append(
            f"within a bar, bars of {format_timeframe(request.detail_seconds)} tell what came first"
        )
    return [
        *told,
        "missing bars stay missing; indicators warm up inside the range; a position still open at "
        "the end is counted at the last close",
        "buy and hold pays the same costs once, at the first open",
    ]


def _trade_facts(trip: trips.RoundTrip) -> dict[str, Any]:
    return {
        "symbol": trip.symbol,
        "side": trip.side,
        "entry_at": _utc(trip.entry_ns),
        "exit_at": _utc(trip.exit_ns),
        "quantity": f"{trip.quantity.normalize():f}",
        "entry_price": f"{trip.entry_price.normalize():f}",
        "exit_price": f"{trip.exit_price.normalize():f}",
        "fees": f"{trip.fees:f}",
        "profit": f"{trip.profit:f}",
        "reason": trip.reason,
        "r": trip.r,
        "strategy": trip.strategy,
        "regime": trip.regime,
        "exits": [
            {
                "at": _utc(leg.time_ns),
                "quantity": f"{leg.quantity.normalize():f}",
                "price": f"{leg.price.normalize():f}",
                "profit": f"{leg.profit:f}",
                "reason": leg.reason,
            }
            for leg in trip.exits
        ],
    }


def _utc(time_ns: int) -> str:
    return f"{moment(time_ns).replace(' ', 'T')}Z"
