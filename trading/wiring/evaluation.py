"""Evaluates parameter sets over bars that are loaded once: here, or in forked processes side by side."""

import ctypes
import hashlib
import json
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from types import TracebackType
from typing import Any

import numpy as np

from trading.backtest import report, trips
from trading.core.config.pipeline import PipelineParams
from trading.marketdata.store import BarStore
from trading.marketdata.timeframes import NS
from trading.research.objectives import measure
from trading.research.requests import BacktestRequest
from trading.research.results import pack_returns
from trading.wiring.backtests import (
    Market,
    NothingStored,
    fresh_markets,
    grid_of,
    load_markets,
    run_markets,
)

DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request with its bars."""

    markets: tuple[Market, ...]
    request: BacktestRequest

    def between(self, start_ns: int, end_ns: int) -> "Prepared":
        """The same over the bars with ``start_ns <= open < end_ns``.

        Raises:
            NothingStored: a pair has no bar in it.
        """
        cut = []
        for market in self.markets:
            low, high = np.searchsorted(market.bars["open_ns"], [start_ns, end_ns])
            if low == high:
                raise NothingStored(f"{market.instrument.symbol} has no bars in one of the windows")
            cut.append(replace(market, bars=market.bars[low:high]))
        request = replace(self.request, start_ns=start_ns, end_ns=end_ns)
        return Prepared(tuple(cut), request)

    def having(self, params: PipelineParams) -> "Prepared":
        """The same with other parameters."""
        return replace(self, request=replace(self.request, params=params))

    def with_cash(self, cash: Any) -> "Prepared":
        """The same with other money at the start."""
        return replace(self, request=replace(self.request, cash=cash))

    def with_bars(self, series: Sequence[np.ndarray]) -> "Prepared":
        """The same over other bars."""
        pairs = zip(self.markets, series, strict=True)
        return replace(self, markets=tuple(replace(m, bars=bars) for m, bars in pairs))

    def run(self) -> report.Run:
        """Trade."""
        return run_markets(self.markets, self.request)

    @property
    def first_ns(self) -> int:
        """Open time of the first bar of any pair."""
        return min(int(market.bars["open_ns"][0]) for market in self.markets)

    @property
    def end_ns(self) -> int:
        """Close time of the last bar of any pair."""
        frame_ns = self.request.timeframe_seconds * NS
        return max(int(market.bars["open_ns"][-1]) for market in self.markets) + frame_ns

    @property
    def data_hash(self) -> str:
        """Over the bars and grids of every pair, in order."""
        parts = [
            [
                market.instrument.venue,
                market.instrument.symbol,
                *(
                    f"{getattr(market.instrument, name).normalize():f}"
                    for name in ("tick_size", "lot_size", "min_quantity", "min_notional")
                ),
                hashlib.sha256(market.bars.tobytes()).hexdigest(),
                hashlib.sha256(market.finer.tobytes()).hexdigest(),
            ]
            for market in self.markets
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def prepare(*, store: BarStore, request: BacktestRequest) -> Prepared:
    """Load the request's bars.

    Raises: as ``load_markets``.
    """
    return Prepared(tuple(load_markets(store=store, request=request)), request)


@dataclass(frozen=True, slots=True)
class Job:
    """One parameter set over one window of the bars."""

    start_ns: int
    end_ns: int
    params: PipelineParams


Measured = tuple[dict[str, Any], bytes]


class Bench:
    """Evaluates jobs in their order; with several processes the results are the same, only sooner."""

    def __init__(self, prepared: Prepared, *, processes: int) -> None:
        self.prepared = prepared
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Bench":
        if self._processes > 1:
            from trading.backtest import runner

            runner.warm()  # once, before the fork, instead of in every process
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=get_context("fork"),
                initializer=_begin_process,
                initargs=(self.prepared,),
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def measure(self, jobs: Sequence[Job]) -> Iterator[Measured]:
        """Metrics and packed daily returns of each job, as they get ready, in order."""
        if self._pool:
            yield from self._pool.map(_measure_here, jobs)
            return
        desk = Desk(self.prepared)
        for job in jobs:
            yield desk.measure(job)


class Desk:
    """Measures jobs one after the other; what the strategies saw of a market is kept for the next."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._key: tuple[int, int, PipelineParams] | None = None
        self._observed: Any = None  # two_stage.Observed, whose module loads the compiler

    def measure(self, job: Job) -> Measured:
        """Metrics and packed daily returns of one job."""
        markets = self._prepared.markets
        if len(markets) > 1 or len(markets[0].finer):
            return measure_whole(self._prepared, job)
        from trading.backtest import two_stage

        cut = self._prepared.between(job.start_ns, job.end_ns)
        (market,), cash = cut.markets, float(cut.request.cash)
        key = (job.start_ns, job.end_ns, two_stage.votes_key(job.params))
        if key != self._key:
            records = fresh_markets(cut.markets, cut.request)
            self._observed = two_stage.observe(market.bars, records, job.params)
            self._key = key
        outcome = two_stage.decide(self._observed, job.params, cash=cash)
        metrics, daily = measure(
            open_ns=outcome.path["open_ns"],
            equity=outcome.path["equity"],
            end_equity=float(outcome.account[0]["equity"]),
            profits=trips.profits(outcome.fills, grid_of(market)),
            cash=cash,
        )
        return metrics, pack_returns(daily)


def measure_whole(prepared: Prepared, job: Job) -> Measured:
    """The same of several markets on one account, or with finer bars: a whole run."""
    run = prepared.between(job.start_ns, job.end_ns).having(job.params).run()
    decisions = run.result.decisions
    metrics, daily = measure(
        open_ns=decisions["bar_open_ns"],
        equity=decisions["equity"],
        end_equity=float(run.result.account[0]["equity"]),
        profits=[float(trip.profit) for trip in run.trips],
        cash=run.cash,
    )
    return metrics, pack_returns(daily)


_inherited: list[Desk] = []  # of a forked process: what its parent had loaded


def _begin_process(prepared: Prepared) -> None:
    """The parent alone hears Ctrl-C; a killed parent takes its processes with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    _inherited.append(Desk(prepared))


def _measure_here(job: Job) -> Measured:
    return _inherited[0].measure(job)
