"""The replay feed: order of markets, pace on a fake clock, resuming anywhere, speeds."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.marketdata.samples import JANUARY_2024_NS, MINUTE_NS, make_bars
from trading.exchanges.replay import InvalidSpeed, ReplayFeed, parse_speed
from trading.marketdata.series import StoredBars
from trading.marketdata.store import BarStore, SeriesKey


@dataclass
class FakeClock:
    """Time passes only by sleeping, and each sleep takes a little too long."""

    seconds: float = 100.0
    oversleep: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def now_ns(self) -> int:
        return int(self.seconds * 1e9)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds + (self.oversleep if seconds else 0)


def stored(root, *series: np.ndarray, timeframe_seconds: int = 60) -> list[StoredBars]:
    store = BarStore(root)
    sources = []
    for number, bars in enumerate(series):
        key = SeriesKey("replay", f"COIN{number}/USD", 60)
        store.merge(key, bars)
        sources.append(StoredBars(store, key, timeframe_seconds, chunk=50))
    return sources


async def collect(feed: ReplayFeed, after_ns: dict[int, int] | None = None) -> list:
    return [bar async for bar in feed.news(after_ns=after_ns or {})]


async def test_bars_of_all_markets_come_in_order_of_time_then_market(tmp_path):
    first, second = make_bars(300), make_bars(280, seed=2, start_ns=JANUARY_2024_NS + 5 * MINUTE_NS)

    bars = await collect(
        ReplayFeed(
            stored(tmp_path, first, np.delete(second, [3, 4, 90])), FakeClock(), float("inf")
        )
    )

    order = [(bar.open_ns, bar.market) for bar in bars]
    assert order == sorted(order)
    assert len(order) == 300 + 277
    assert [bar.close for bar in bars if bar.market == 0] == first["close"].tolist()


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(0, 576))
async def test_resuming_at_any_bar_gives_the_same_rest(tmp_path_factory, cut):
    sources = stored(
        tmp_path_factory.mktemp("bars"), make_bars(300), np.delete(make_bars(280, seed=2), [7, 8])
    )
    feed = ReplayFeed(sources, FakeClock(), float("inf"))
    whole = await collect(feed)
    seen = {bar.market: bar.open_ns for bar in whole[:cut]}

    rest = await collect(feed, seen)

    assert rest == whole[cut:]


async def test_sixty_times_speed_gives_a_minute_bar_each_second_without_drift(tmp_path):
    clock = FakeClock(oversleep=0.04)
    feed = ReplayFeed(stored(tmp_path, make_bars(201)), clock, 60.0)

    await collect(feed)

    assert clock.seconds - 100.0 == pytest.approx(200.0 + 0.04, abs=1e-6)


async def test_a_consumer_that_fell_behind_catches_up_without_waiting(tmp_path):
    clock = FakeClock()
    feed = ReplayFeed(stored(tmp_path, make_bars(100)), clock, 60.0)
    bars = feed.news(after_ns={})

    for _ in range(10):
        await anext(bars)
    clock.seconds += 50.0
    clock.sleeps.clear()
    for _ in range(49):
        await anext(bars)

    assert sum(clock.sleeps) == 0


async def test_a_hole_in_the_bars_takes_its_time(tmp_path):
    clock = FakeClock()
    feed = ReplayFeed(stored(tmp_path, make_bars(100)[[0, 1, 50]]), clock, 60.0)

    await collect(feed)

    assert clock.seconds == pytest.approx(150.0)


async def test_top_speed_never_waits_but_lets_others_run(tmp_path):
    clock = FakeClock()

    await collect(ReplayFeed(stored(tmp_path, make_bars(500)), clock, float("inf")))

    assert set(clock.sleeps) == {0}
    assert len(clock.sleeps) >= 5


async def test_a_feed_keeps_to_its_range_and_gives_the_history_before_it(tmp_path):
    source = make_bars(500)
    start = int(source["open_ns"][200])
    feed = ReplayFeed(
        stored(tmp_path, source),
        FakeClock(),
        float("inf"),
        start_ns=start,
        end_ns=start + 10 * MINUTE_NS,
    )

    bars = await collect(feed)
    history = await feed.history(market=0, before_ns=start, count=120)

    assert [bar.open_ns for bar in bars] == source["open_ns"][200:210].tolist()
    assert history.tobytes() == source[80:200].tobytes()


async def test_a_rolled_up_feed_resumes_to_the_same_bars(tmp_path):
    source = np.delete(make_bars(600), [5, 30, 31, 32, 33, 34, 35, 36])
    feed = ReplayFeed(stored(tmp_path, source, timeframe_seconds=300), FakeClock(), float("inf"))
    whole = await collect(feed)

    rests = [await collect(feed, {0: bar.open_ns}) for bar in whole]

    assert all(rest == whole[number + 1 :] for number, rest in enumerate(rests))
    assert len(whole) == 119  # bars 30 to 34, one whole bucket, are absent


@pytest.mark.parametrize("text", ["0", "-1", "fast", "nan", "inf", ""])
def test_a_speed_that_is_none_is_refused_by_name(text):
    with pytest.raises(InvalidSpeed, match="above 0, or max"):
        parse_speed(text)


def test_speeds_are_numbers_or_max():
    assert parse_speed("60") == 60.0
    assert parse_speed("max") == float("inf")
