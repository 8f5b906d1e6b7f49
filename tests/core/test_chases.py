"""Limits that get nothing: the same entry asked for again, then at the market, never two at once."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.play import CHASES, Play, run
from tests.core.samples import MINUTE_NS, walk
from trading.core import explain
from trading.core.codes import HoldBit, Liquidity, Purpose, Reason, Stage
from trading.core.config.pipeline import PipelineParams
from trading.core.records import FILL


@dataclass(frozen=True)
class Asked:
    """An entry that was asked for, and what came of it."""

    seq: int
    chase: int
    side: int
    limit_ticks: int
    at_ns: int
    stop_distance: float
    filled: int
    liquidity: set[int]


def entries_of(play: Play) -> list[Asked]:
    fills = [np.frombuffer(one, FILL)[0] for one in play.fills]
    orders = {int(one["seq"]): one for one in play.intents if one["purpose"] == Purpose.ENTRY}
    found = []
    for record in play.decisions:
        d = explain.read(record).decision
        if d["intent_seq"] == 0:
            continue
        order = orders[int(d["intent_seq"])]
        mine = [fill for fill in fills if fill["intent_seq"] == order["seq"]]
        found.append(
            Asked(
                seq=int(order["seq"]),
                chase=int(d["chase"]),
                side=int(d["side"]),
                limit_ticks=int(order["price_ticks"]),
                at_ns=int(order["at_ns"]),
                stop_distance=float(d["stop_distance"]),
                filled=sum(int(fill["quantity_lots"]) for fill in mine),
                liquidity={int(fill["liquidity"]) for fill in mine},
            )
        )
    return found


def played(seed: int, params: PipelineParams, count: int = 1500) -> Play:
    play, bars = Play.fresh(params), walk(seed, count)
    for i in range(count):
        play.bar(bars, i)
    return play


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    chases=st.integers(0, 3),
    fallback=st.integers(0, 1),
    offset=st.sampled_from([0.0, 5.0, 30.0]),
)
def test_each_chase_follows_a_limit_that_got_nothing(
    seed: int, chases: int, fallback: int, offset: float
) -> None:
    entries = replace(
        CHASES.entries, chases=chases, fallback=fallback, limit_offset_bps=offset, limit_bars=2
    )
    asked = entries_of(played(seed, replace(CHASES, entries=entries)))

    for before, one in zip([None, *asked], asked, strict=False):
        assert one.chase <= chases + fallback
        assert (one.limit_ticks == 0) == (one.chase == chases + 1)
        assert one.liquidity <= {Liquidity.MAKER if one.limit_ticks else Liquidity.TAKER}
        if one.chase > 0:
            assert before is not None
            assert (before.chase, before.side, before.filled) == (one.chase - 1, one.side, 0)
            assert one.at_ns >= before.at_ns + (entries.limit_bars + 1) * MINUTE_NS
            assert one.stop_distance >= before.stop_distance


def test_limits_then_the_market_are_all_met() -> None:
    asked = entries_of(played(3, CHASES, 4000))

    assert {one.chase for one in asked} == {0, 1, 2, 3}
    assert all(one.filled for one in asked if one.chase == 3 and one is not asked[-1])


def test_without_chases_a_limit_that_got_nothing_is_let_go() -> None:
    without = replace(CHASES, entries=replace(CHASES.entries, chases=0, fallback=0))

    result = run(walk(3, 4000), without)

    assert set(result.decisions["chase"].tolist()) == {0}
    assert (result.decisions["stage"] == Stage.ENTRY).sum() > 10


def test_a_hold_ends_the_chase_for_good() -> None:
    far = replace(CHASES, entries=replace(CHASES.entries, limit_offset_bps=500.0))
    held = [explain.read(record) for record in filter(None, map(held_chase, range(6), [far] * 6))]

    assert len(held) > 1  # in the others the opinion turned before
    for one in held:
        told = explain.describe(one)
        assert (told["chase"], told["sentence"]) == (1, "Entries are on hold.")


def held_chase(seed: int, params: PipelineParams) -> bytes | None:
    """The decision that a hold answered when a limit had got nothing; after it nothing is chased."""
    bars, play, i = walk(seed, 2000), Play.fresh(params), 0
    position = play.markets[0]["position"]
    while not (position["chase_side"] and position["entry_seq"]):
        play.bar(bars, i)
        i += 1
    play.account[0]["holds"] = HoldBit.OPERATOR
    while position["entry_seq"] or position["chase_side"]:
        play.bar(bars, i)
        i += 1
    last = play.decisions[-1]
    told = explain.read(last).decision
    if (told["reason"], told["chase"]) != (Reason.HELD, 1):
        return None
    play.account[0]["holds"] = 0
    play.bar(bars, i)
    assert explain.read(play.decisions[-1]).decision["chase"] == 0
    return last
