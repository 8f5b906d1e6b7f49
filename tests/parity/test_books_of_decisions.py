"""Order books that an engine decided with stand in its decisions, and a backtest told of them agrees."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from tests.core.play import only
from tests.engine.fakes import ArrayFeed, Street, random_bars
from trading.backtest import runner as backtest
from trading.core import explain
from trading.core.codes import Gate, HoldBit, Reason
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.core.records import USED_BOOK
from trading.engine.messages import BarClosed, BookSeen, News
from trading.engine.state import new_markets

MINUTE_NS, SECOND_NS = 60_000_000_000, 1_000_000_000
MISSING, STALE, FRESH = "missing", "stale", "fresh"


def book_of(bar: BarClosed, age_ns: int, rng: np.random.Generator) -> BookSeen:
    lean = rng.uniform(0.1, 1.9)
    bids = tuple((bar.close - 0.1 * k, 30.0 * lean) for k in range(1, 26))
    asks = tuple((bar.close + 0.1 * k, 30.0 * (2.0 - lean)) for k in range(1, 26))
    return BookSeen(bar.market, bar.open_ns + MINUTE_NS - age_ns, bids, asks)


@dataclass
class FeedWithBooks:
    """Bars with books, of which some are missing and some are old."""

    feed: ArrayFeed
    kinds: tuple[str, ...]
    blind_every: int = 0

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        rng, number = np.random.default_rng(7), 0
        async for bar in self.feed.news(after_ns=after_ns):
            number += 1
            kind = self.kinds[number % len(self.kinds)]
            if kind != MISSING:
                yield book_of(bar, SECOND_NS if kind == FRESH else 30 * SECOND_NS, rng)
            is_blind = bool(self.blind_every) and number % self.blind_every == 0
            yield structs.replace(bar, blind=is_blind)

    async def history(self, **given: Any) -> np.ndarray:
        return await self.feed.history(**given)

    async def close(self) -> None:
        return


def run(params: PipelineParams, series: list[np.ndarray], **given: Any) -> Street:
    street = Street(series, params)
    street.venue._feed = FeedWithBooks(ArrayFeed(series), **given)
    asyncio.run(street.runner.run())
    return street


def replayed(street: Street, series: list[np.ndarray]) -> backtest.Result:
    heads = [explain.read(record) for _, record in street.ledger.decisions]
    held = [
        int(one.detail["gates"][Gate.HOLDS]["value"])
        if one.detail is not None and one.decision["reason"] == Reason.HELD
        else 0
        for one in heads
    ]
    return backtest.run(
        series=series,
        markets=new_markets(street.specs),
        params=street.params,
        cash=float(street.ledger.cash),
        held=np.array(held, "i8"),
        books=np.array([one.decision["book"] for one in heads], USED_BOOK),
    )


def flow_only() -> PipelineParams:
    """Decides by the order book alone."""
    params = only(PROFILES["active"], "order_flow")
    return replace(params, confluence=replace(params.confluence, min_votes=1))


@pytest.mark.parametrize(
    "kinds",
    [(FRESH,), (FRESH, MISSING, STALE), (FRESH, FRESH, FRESH, MISSING)],
    ids=["always", "one in three", "three in four"],
)
@pytest.mark.parametrize("markets", [1, 2])
def test_a_backtest_told_of_the_books_decides_byte_for_byte_alike(
    kinds: tuple[str, ...], markets: int
) -> None:
    series = [random_bars(seed, 1200) for seed in range(markets)]

    street = run(PROFILES["active"], series, kinds=kinds, blind_every=5)

    result = replayed(street, series)
    expected = list(zip(result.decision_market.tolist(), result.records(), strict=True))
    assert street.ledger.decisions == expected
    street.core.account["holds"] = result.account["holds"] = 0  # told of where they mattered
    assert street.core.account.tobytes() == result.account.tobytes()
    assert any(explain.read(record).decision["book"]["time_ns"] for _, record in expected)


def test_only_a_fresh_book_votes_and_its_numbers_stand_in_the_decision() -> None:
    series = [random_bars(1, 900)]

    street = run(flow_only(), series, kinds=(FRESH, MISSING, STALE))

    told = [explain.describe(explain.read(record)) for _, record in street.ledger.decisions]
    for number, one in enumerate(told, start=1):
        is_fresh = number % 3 == 0
        assert bool(one["book"]) == is_fresh
        if is_fresh:
            assert one["book"]["time_ms"] == one["bar_open_ms"] + 59_000
            assert 0.0 < one["book"]["spread"] < 0.003
    voters = [n for n, one in enumerate(told, start=1) for v in one["votes"] if v["score"]]
    assert voters
    assert all(number % 3 == 0 for number in voters)


def test_no_bar_whose_book_is_in_doubt_is_acted_on() -> None:
    series = [random_bars(1, 900)]
    seeing = run(flow_only(), series, kinds=(FRESH,))

    blind = run(flow_only(), series, kinds=(FRESH,), blind_every=1)

    assert len(seeing.ledger.fills) > 0
    assert len(blind.ledger.fills) == 0
    reasons = [explain.read(record) for _, record in blind.ledger.decisions]
    held = [one for one in reasons if one.decision["reason"] == Reason.HELD]
    assert held
    assert all(int(one.detail["gates"][Gate.HOLDS]["value"]) == HoldBit.DATA for one in held)
