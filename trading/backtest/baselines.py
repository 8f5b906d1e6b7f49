"""What the run is measured beside: buying and holding, and entering at random."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.backtest.trips import RoundTrip
from trading.core.config.money import CostParams

DRAWS = 1000
CHUNK = 4_000_000  # numbers worked on at a time


@dataclass(frozen=True, slots=True)
class RandomEntries:
    """Total return and net return per trade of the run's trades and of each random try.

    Every try has the run's own trades' holding times in bars, sides and shares of equity, in
    random order at random bars of the same market, never two at a time in one market, entered and
    left at opens with the run's costs. Trades compound in order; the run's own are told the same
    way, so that the two compare.
    """

    observed: tuple[float, float]
    returns: np.ndarray
    expectancies: np.ndarray
    trades: int
    seed: int


@dataclass(frozen=True, slots=True)
class _Trades:
    """Of one market: where the opens are, and what is shuffled over them."""

    opens: np.ndarray  # one more than bars: the last is the last close
    held: np.ndarray
    sides: np.ndarray
    shares: np.ndarray


def buy_and_hold(bars: np.ndarray, costs: CostParams) -> dict[str, float]:
    """All cash into the first open with the same costs, held to the last close: return, drawdown."""
    worth = hold_path(bars, costs)
    return {
        "return": float(worth[-1] - 1),
        "max_drawdown": float((1 - worth / np.maximum.accumulate(worth)).max()),
    }


def hold_path(bars: np.ndarray, costs: CostParams) -> np.ndarray:
    """Worth of 1 put into the first open, before it and at every close."""
    worse = (costs.half_spread_bps + costs.slippage_bps + costs.taker_fee_bps) * 1e-4
    return np.r_[1.0, bars["close"] / (bars["open"][0] * (1 + worse))]


def random_entries(
    *,
    trips: Sequence[RoundTrip],
    series: Sequence[np.ndarray],
    costs: CostParams,
    seed: int,
    draws: int = DRAWS,
) -> RandomEntries:
    """Distribution over ``draws`` seeded tries; trips whose entry decision is unknown are left out."""
    known = [trip for trip in trips if trip.equity]
    own = np.array([float(trip.profit / trip.notional) for trip in known])
    shares = np.array([float(trip.notional) / (trip.equity or 1.0) for trip in known])
    if not known:
        nothing = np.zeros(0)
        return RandomEntries((0.0, 0.0), nothing, nothing, 0, seed)
    observed = (float(np.prod(1 + shares * own)) - 1, float(own.mean()))
    generator = np.random.default_rng(seed)
    growth, total = np.ones(draws), np.zeros(draws)
    for market in sorted({trip.market for trip in known}):
        trades = _trades([t for t in known if t.market == market], series[market])
        step = max(CHUNK // len(trades.held), 1)
        for at in range(0, draws, step):
            part = slice(at, min(at + step, draws))
            grown, earned = _draw(trades, costs, part.stop - at, generator)
            growth[part] *= grown
            total[part] += earned
    return RandomEntries(observed, growth - 1, total / len(known), len(known), seed)


def _trades(trips: list[RoundTrip], bars: np.ndarray) -> _Trades:
    times = bars["open_ns"]
    first = np.searchsorted(times, [trip.entry_ns for trip in trips], side="right")
    last = np.searchsorted(times, [trip.exit_ns for trip in trips], side="right")
    return _Trades(
        opens=np.r_[bars["open"], bars["close"][-1:]],
        held=np.maximum(last - first, 1).astype(np.int32),
        sides=np.array([trip.sign for trip in trips]),
        shares=np.array([float(trip.notional) / (trip.equity or 1.0) for trip in trips]),
    )


def _draw(
    trades: _Trades, costs: CostParams, draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(growth, sum of the trades' net returns) of each try in one market."""
    order, entries = place(trades.held, len(trades.opens) - 1, draws, generator)
    side = trades.sides[order]
    worse = (costs.half_spread_bps + costs.slippage_bps) * 1e-4
    fee = costs.taker_fee_bps * 1e-4
    bought_at = trades.opens[entries] * (1 + side * worse)
    sold_at = trades.opens[entries + trades.held[order]] * (1 - side * worse)
    net = side * (sold_at / bought_at - 1) - fee * (1 + sold_at / bought_at)
    return np.prod(1 + trades.shares[order] * net, axis=1), net.sum(axis=1)


def place(
    held: np.ndarray, bars: int, draws: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(which trade, entry bar) of each place, (draws × trades): in random order, never two at once.

    The bars outside of trades are spread over the gaps between them by sorted uniform cuts.

    Raises:
        ValueError: the trades do not fit one after another.
    """
    count, free = len(held), bars - int(held.sum())
    if free < 0:
        raise ValueError(f"{count} trades hold {held.sum()} bars, there are only {bars}")
    order = generator.permuted(np.tile(np.arange(count, dtype=np.int32), (draws, 1)), axis=1)
    cuts = np.sort(generator.integers(0, free + 1, (draws, count), dtype=np.int32), axis=1)
    lengths = held[order]
    return order, cuts + np.cumsum(lengths, axis=1, dtype=np.int32) - lengths
