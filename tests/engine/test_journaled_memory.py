"""What the journal keeps of markets, whole records and changes, is always what was committed last."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.engine.batches import MarketMemory
from trading.ledger import memory, words
from trading.ledger.memory import Brought, JournaledMemory, MarketChange, fold

RAW = st.binary(max_size=40)
MARKETS = 3
COMMIT = st.dictionaries(st.integers(0, MARKETS - 1), st.tuples(RAW, RAW))


class Rows:
    """What a journal's tables hold."""

    def __init__(self) -> None:
        self.whole: dict[int, tuple[int, MarketMemory]] = {}
        self.changes: dict[int, tuple[MarketChange, ...]] = {}

    def write(self, brought: Brought) -> None:
        if brought.changes:
            self.changes[brought.number] = brought.changes
        self.whole |= {one.market: (brought.number, one) for one in brought.whole}
        if brought.whole:
            kept = self.changes.items()
            self.changes = {n: told for n, told in kept if n > brought.needless}

    def read(self) -> JournaledMemory:
        return fold(self.whole.values(), sorted(self.changes.items()))


@given(former=RAW, now=RAW)
def test_a_difference_makes_the_one_of_the_other(former: bytes, now: bytes) -> None:
    assert words.apply(former, words.difference(former, now)) == now


@given(raw=RAW)
def test_what_is_equal_differs_in_no_word(raw: bytes) -> None:
    assert len(words.difference(raw, raw)) == words.HEAD.size


@settings(max_examples=200)
@given(
    commits=st.lists(COMMIT, max_size=30),
    lives=st.sets(st.integers(0, 29)),
    lost=st.sets(st.integers(0, 29)),
)
def test_any_life_reads_what_was_committed_last(
    commits: list[dict[int, tuple[bytes, bytes]]], lives: set[int], lost: set[int]
) -> None:
    rows, known, expected = Rows(), Rows().read(), {}

    for number, commit in enumerate(commits):
        markets = [MarketMemory(m, *raw) for m, raw in sorted(commit.items())]
        brought = known.bring(markets)
        if number in lost:  # the transaction failed
            continue
        rows.write(brought)
        known.note(brought)
        expected |= {one.market: one for one in markets}
        if number in lives:
            known = rows.read()
        now = tuple(expected[market] for market in sorted(expected))
        assert known.markets == now
        assert rows.read().markets == now


def play(commits: int, markets: int, *, silent: int = -1) -> tuple[Rows, list[Brought]]:
    """Markets of which each commit changes a little; one hears nothing after the second."""
    noise, rows, told = np.random.default_rng(1), Rows(), []
    records = noise.integers(0, 255, (markets, 8_000), "u1")
    known = rows.read()
    for number in range(commits):
        heard = [m for m in range(markets) if m != silent or number < 2]
        records[:, noise.integers(0, 8_000, 30)] += 1
        brought = known.bring([MarketMemory(m, records[m].tobytes(), b"{}") for m in heard])
        rows.write(brought)
        known.note(brought)
        told.append(brought)
    return rows, told


def size(rows: Rows) -> int:
    return sum(one.size for told in rows.changes.values() for one in told)


def test_no_commit_writes_more_than_a_share_of_the_markets_whole() -> None:
    _, told = play(300, 32)

    assert len(told[0].whole) == 32
    assert max(len(one.whole) for one in told[1:]) == 2


def test_changes_are_forgotten_once_they_are_in_whole_records() -> None:
    after_some, _ = play(100, 32)
    after_many, _ = play(600, 32)

    whole = 32 * 8_000
    assert size(after_some) < 2.5 * whole
    assert size(after_many) < 2.5 * whole


def test_a_market_that_fell_silent_does_not_keep_all_changes_since() -> None:
    rows, told = play(memory.MOST_COMMITS + 60, 4, silent=2)

    assert [n for n, one in enumerate(told) if any(w.market == 2 for w in one.whole)] == [
        0,
        memory.MOST_COMMITS,
    ]
    assert size(rows) < 2.5 * 4 * 8_000
    assert min(rows.changes) > memory.MOST_COMMITS // 2
