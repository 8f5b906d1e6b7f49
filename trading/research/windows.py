"""Train and test windows of a walk-forward: every test bar is unseen, and a gap lies before it."""

from dataclasses import dataclass

from trading.research.requests import DAY_NS, InvalidRequest, Walk


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open ranges of open times: train, then a gap of nobody, then test."""

    number: int
    train_start_ns: int
    train_end_ns: int
    test_start_ns: int
    test_end_ns: int


def plan_windows(
    walk: Walk, *, first_ns: int, end_ns: int, timeframe_ns: int
) -> tuple[Window, ...]:
    """Windows over ``first_ns <= open < end_ns``; tests follow each other without a gap.

    Rolling windows train on the days just before the gap, anchored ones on everything before it.

    Raises:
        InvalidRequest: not one train, gap and test fit the range.
    """
    train, test = walk.train_days * DAY_NS, walk.test_days * DAY_NS
    purge = walk.purge_bars * timeframe_ns
    found: list[Window] = []
    test_start = first_ns + train + purge
    while test_start + test <= end_ns:
        train_end = test_start - purge
        train_start = first_ns if walk.anchored else train_end - train
        found.append(Window(len(found), train_start, train_end, test_start, test_start + test))
        test_start += test
    if not found:
        raise InvalidRequest(
            f"timerange: {(end_ns - first_ns) / DAY_NS:,.1f} days of bars, but one train of "
            f"{walk.train_days} days, a gap of {walk.purge_bars} bars and one test of "
            f"{walk.test_days} days take {(train + purge + test) / DAY_NS:,.1f}"
        )
    return tuple(found)
