"""The synthetic market: the same bars everywhere, and those a market could have made."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trading.exchanges.synthetic import (
    DAY_NS,
    EPOCH_NS,
    HORIZON_DAYS,
    MINUTE_NS,
    START_NS,
    SyntheticBars,
)

ROOT = Path(__file__).resolve().parents[2]
DIGEST = """
import hashlib, sys
from trading.exchanges.synthetic import *
bars = SyntheticBars(7, "BTC/USD").iter_bars(start_ns=START_NS, end_ns=START_NS + 3 * DAY_NS)
print(hashlib.sha256(b"".join(day.tobytes() for day in bars)).hexdigest())
"""


def year(seed: int = 7, symbol: str = "BTC/USD") -> np.ndarray:
    return np.concatenate(
        list(SyntheticBars(seed, symbol).iter_bars(start_ns=0, end_ns=EPOCH_NS + 365 * DAY_NS))
    )


@pytest.mark.parametrize("hash_seed", ["0", "1234"])
def test_every_process_makes_the_same_bars(hash_seed):
    here = SyntheticBars(7, "BTC/USD").iter_bars(start_ns=START_NS, end_ns=START_NS + 3 * DAY_NS)

    there = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=ROOT,
        env={"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    assert there == hashlib.sha256(b"".join(day.tobytes() for day in here)).hexdigest()


def test_seeds_and_symbols_make_different_markets():
    starts = {
        next(
            SyntheticBars(seed, symbol).iter_bars(start_ns=START_NS, end_ns=START_NS + DAY_NS)
        ).tobytes()
        for seed in (1, 2)
        for symbol in ("BTC/USD", "ETH/USD")
    }

    assert len(starts) == 4


def test_reading_may_start_anywhere():
    market = SyntheticBars(3, "ETH/USD")
    whole = np.concatenate(list(market.iter_bars(start_ns=START_NS, end_ns=START_NS + 3 * DAY_NS)))
    middle = int(whole["open_ns"][2000])

    rest = np.concatenate(
        list(SyntheticBars(3, "ETH/USD").iter_bars(start_ns=middle, end_ns=START_NS + 3 * DAY_NS))
    )
    tail = market.tail(before_ns=middle, count=1800)

    assert rest.tobytes() == whole[2000:].tobytes()
    assert tail.tobytes() == whole[200:2000].tobytes()


def test_there_is_history_before_the_start_and_none_before_the_epoch():
    market = SyntheticBars(3, "ETH/USD")

    assert len(market.tail(before_ns=START_NS, count=50_000)) == 50_000
    assert len(market.tail(before_ns=EPOCH_NS, count=10)) == 0


def test_bars_are_whole_increasing_and_on_the_grid():
    bars = year()

    assert (np.diff(bars["open_ns"]) >= MINUTE_NS).all()
    assert (bars["open_ns"] % MINUTE_NS == 0).all()
    assert (bars["low"] > 0).all()
    assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
    assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
    assert (bars["volume"] > 0).all()
    assert (np.round(bars["close"], 1) == bars["close"]).all()


def test_returns_have_fat_tails_and_no_memory_of_direction_but_of_size():
    returns = np.diff(np.log(year()["close"]))
    sizes = np.abs(returns) - np.abs(returns).mean()

    def memory(series: np.ndarray, lag: int) -> float:
        return float((series[lag:] * series[:-lag]).mean() / series.var())

    assert ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 > 10
    assert abs(memory(returns - returns.mean(), 1)) < 0.05
    assert memory(sizes, 1) > memory(sizes, 60) > memory(sizes, 1440) > 0.05


def test_a_year_has_outages_and_quiet_nights():
    bars = year()
    holes = np.diff(bars["open_ns"]) // MINUTE_NS
    hour = bars["open_ns"] // (60 * MINUTE_NS) % 24

    assert holes.max() > 10
    assert (holes > 1).sum() > 50
    assert bars["volume"][hour == 15].mean() > 1.5 * bars["volume"][hour == 3].mean()


@pytest.mark.parametrize("symbol", ["BTC/USD", "ETH/USDT", "DOGE/USD", "NEW/EUR"])
def test_prices_stay_plausible_for_twenty_years(symbol):
    market = SyntheticBars(11, symbol)
    closes = [
        float(
            next(
                market.iter_bars(
                    start_ns=EPOCH_NS + day * DAY_NS, end_ns=EPOCH_NS + (day + 1) * DAY_NS
                )
            )["close"][0]
        )
        for day in range(0, HORIZON_DAYS, 200)
    ]

    assert max(closes) / closes[0] < 200
    assert min(closes) / closes[0] > 1 / 200
