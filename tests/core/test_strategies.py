"""Every vote of the later strategies is that of the slow rule."""

from functools import cache

import numpy as np
import pytest

from tests.core import strategy_references as slow
from tests.core.play import WHOLE, only
from tests.core.samples import MINUTE_NS, market, real_bars, walk
from trading.core import pipeline
from trading.core.codes import Abstain, Volatility
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.records import INTENT, MAX_INTENTS

FIRST = 200  # averages seeded differently agree by then
SAMPLES = {
    "rough": lambda: walk(41, 3500),
    "quiet": lambda: walk(42, 3500, noise=0.0015),
    "real": lambda: real_bars(6000),
}
STORMS = {Volatility.HIGH: 1, Volatility.LOW: -1}
PARAMS = only(WHOLE, *STRATEGY_NAMES)


@cache
def votes_of(sample: str, book: float, funding: float) -> list[tuple[np.ndarray, int]]:
    """(votes, volatility) of every bar on the bot's own timeframe, with news that never ages."""
    bars, markets = SAMPLES[sample](), market()
    account, params = pipeline.new_account(1e4), pipeline.new_params(PARAMS)
    account["holds"] = 1
    asked = np.zeros(MAX_INTENTS, INTENT)
    decision, detail = np.zeros(1, pipeline.DECISION), np.zeros(1, pipeline.DETAIL)
    record = markets[0]
    told = []
    for i in range(len(bars)):
        close_ns = int(bars["open_ns"][i]) + MINUTE_NS
        record["book"]["time_ns"] = record["funding_ns"] = close_ns
        record["funding_rate"] = funding
        for name, value in news(book).items():
            record["book"][name] = value
        pipeline.on_bar(markets, 0, account, params, bars, i, decision, 0, detail, 0, asked)
        frame = record["frames"][0]
        told.append((frame["votes"].copy(), int(frame["now"]["volatility"])))
    return told


def news(score: float) -> dict[str, float]:
    return {
        "book_score": score,
        "imbalance": score / 2,
        "whale_bias": score,
        "spread": 0.0005,
        "depth": 200_000.0,
    }


def rule(name: str, facts: slow.Series, i: int, volatility: int, told: dict) -> slow.Told:
    storm = STORMS.get(Volatility(volatility), 0)
    if name == "order_flow":
        return slow.order_flow(facts, i, news(told["book"]))
    if name == "funding_rate":
        return slow.funding_rate(facts, i, told["funding"])
    if name in ("vwap_momentum", "rsi_mean_reversion"):
        return getattr(slow, name)(facts, i, storm)
    return slow.PLAIN[name](facts, i)


CASES = [(name, sample) for name in STRATEGY_NAMES[3:] for sample in SAMPLES]


@pytest.mark.parametrize(("name", "sample"), CASES, ids=lambda value: value)
def test_every_vote_is_that_of_the_slow_rule(name: str, sample: str) -> None:
    facts, k = slow.Series(SAMPLES[sample](), PARAMS), STRATEGY_NAMES.index(name)
    met, sides = 0, set()
    for told in ({"book": 0.5, "funding": -0.001}, {"book": -0.4, "funding": 0.002}):
        for i, (votes, volatility) in enumerate(votes_of(sample, **told)):
            if i < FIRST:
                continue
            expected = rule(name, facts, i, volatility, told)
            mine = votes[k]
            if expected is None:
                assert mine["abstain"] != Abstain.VOTED, i
                continue
            side, strength, confidence, stop, target = expected
            assert mine["abstain"] == Abstain.VOTED, (i, expected)
            assert mine["score"] == pytest.approx(side * strength, abs=1e-6), i
            assert mine["confidence"] == pytest.approx(confidence, abs=1e-6), i
            assert mine["stop_distance"] == pytest.approx(stop, rel=1e-6), i
            assert mine["target_distance"] == pytest.approx(target, rel=1e-6), i
            met += 1
            sides.add(side)
        if name not in ("order_flow", "funding_rate"):
            break  # nothing else reads the news
    assert met > 0
    if sample == "rough":
        assert sides == {-1, 1}
