"""The laws on every file of real bars: no look ahead, no broken limit, the same bytes in pieces."""

import gzip
from functools import cache

import numpy as np
import pytest

from tests.core.play import WHOLE, Play
from tests.core.samples import MINUTE_NS, REAL
from tests.core.test_pipeline_properties import assert_within_limits
from trading.backtest import runner
from trading.core import pipeline
from trading.core.codes import Abstain
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.records import BAR

FOLDER = REAL.parent
COUNT = 6000
PATTERN = ("binance_*_[0-9]m_*", "bitfinex_*", "coinbase_*-USD_1m_*", "kraken_*_1[mh]_*")


def files() -> list[str]:
    return sorted({path.name for pattern in PATTERN for path in FOLDER.glob(f"{pattern}.csv.gz")})


@cache
def bars_of(name: str) -> tuple[np.ndarray, int]:
    """The file's bars and its timeframe in nanoseconds."""
    with gzip.open(FOLDER / name, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",", skiprows=1, max_rows=COUNT, usecols=range(6))
    bars = np.zeros(len(rows), BAR)
    bars["open_ns"] = rows[:, 0].astype("i8") * 1_000_000
    for column, field in enumerate(BAR.names[1:], start=1):
        bars[field] = rows[:, column]
    return bars, int(np.diff(bars["open_ns"]).min())


def market_of(frame_ns: int) -> np.ndarray:
    markets = pipeline.new_markets(1)
    grid = markets["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = 0.01, 1e-6, frame_ns
    grid["min_quantity_lots"], grid["min_notional"] = 10, 5.0
    return markets


def run(bars: np.ndarray, frame_ns: int, *, markets: np.ndarray | None = None) -> runner.Result:
    return runner.run(
        series=[bars],
        markets=market_of(frame_ns) if markets is None else markets,
        params=[WHOLE],
        cash=10_000.0,
    )


if not FOLDER.exists():
    pytest.skip("no real market data beside the project", allow_module_level=True)


@pytest.mark.parametrize("name", files())
def test_one_bar_at_a_time_with_restarts_is_the_batch(name: str) -> None:
    bars, frame_ns = bars_of(name)
    play = Play.fresh(WHOLE)
    play.markets = market_of(frame_ns)

    for i in range(len(bars)):
        play = play.restored() if i % 997 == 0 else play
        play.bar(bars, i)
        assert_within_limits(play, WHOLE)

    whole = run(bars, frame_ns)
    assert play.decisions == list(whole.records())
    assert play.fills == [fill.tobytes() for fill in whole.fills]
    assert play.markets.tobytes() == whole.markets.tobytes()


@pytest.mark.parametrize("name", files())
def test_an_altered_future_never_alters_the_past(name: str) -> None:
    bars, frame_ns = bars_of(name)
    whole = run(bars, frame_ns)
    for cut in (500, len(bars) // 2, len(bars) - 3):
        changed = bars.copy()
        for field in ("open", "high", "low", "close", "volume"):
            changed[field][cut:] *= 1.37

        other = run(changed, frame_ns)

        assert whole.decisions[:cut].tobytes() == other.decisions[:cut].tobytes()


@pytest.mark.parametrize("name", files())
def test_many_markets_at_once_vote_like_each_alone(name: str) -> None:
    bars, frame_ns = bars_of(name)
    pair = runner.run(
        series=[bars, bars[: len(bars) // 2]],
        markets=np.concatenate([market_of(frame_ns), market_of(frame_ns)]),
        params=[WHOLE, WHOLE],
        cash=10_000.0,
    )

    alone = run(bars, frame_ns)

    mine = pair.decisions[pair.decision_market == 0]
    for field in ("abstain", "adx", "rsi", "atr", "regime", "volatility", "closed", "choppiness"):
        assert mine[field].tobytes() == alone.decisions[field].tobytes()


def test_book_and_funding_change_nothing_but_the_votes_that_read_them() -> None:
    bars, frame_ns = bars_of(files()[0])
    told = market_of(frame_ns)
    last = int(bars["open_ns"][-1]) + frame_ns
    levels = np.array([[100.0, 5000.0], [99.9, 5000.0]])
    pipeline.on_book(told, 0, last, levels, np.add(levels[::-1], [10.0, 0.0]))
    pipeline.on_funding(told, 0, last, -0.004)
    told["book"]["time_ns"] = bars["open_ns"][0]  # fresh for the first bars, then too old
    told["funding_ns"] = bars["open_ns"][0]

    plain, fed = run(bars, frame_ns), run(bars, frame_ns, markets=told)

    readers = [STRATEGY_NAMES.index(name) for name in ("order_flow", "funding_rate")]
    others = [k for k in range(len(STRATEGY_NAMES)) if k not in readers]
    assert (
        plain.decisions["abstain"][:, others].tobytes()
        == fed.decisions["abstain"][:, others].tobytes()
    )
    assert (plain.decisions["abstain"][:, readers] != Abstain.VOTED).all()
    late = bars["open_ns"] > bars["open_ns"][0] + 10 * 60 * MINUTE_NS
    assert (fed.decisions["abstain"][late][:, readers] == Abstain.NO_INPUT).all()
