"""Same pipeline over arrays: one compiled loop for one or many markets in true time order.

For every bar, in the order the engine sees it: a tick at the open, the fill at the open, the fill
within the range, the decision at the close. Whatever one step asks for is in the book before the
next begins. Nothing is closed at the end: an open position is marked at its last close.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from trading.core import fills as fill_model
from trading.core import pipeline, rehearsal
from trading.core.config.pipeline import PipelineParams
from trading.core.jit import stage
from trading.core.records import BAR, FILL, INTENT, MAX_FILLS, MAX_INTENTS, USED_BOOK
from trading.core.simulation import accept_all, settle

FIRST_FILLS = 1024


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a run left behind; market ``k`` of a row is the index of its instrument."""

    decisions: np.ndarray
    decision_market: np.ndarray
    fills: np.ndarray
    fill_market: np.ndarray
    account: np.ndarray
    markets: np.ndarray
    sims: np.ndarray
    details: np.ndarray = field(  # of the decisions that have one, in their order
        default_factory=lambda: np.zeros(0, pipeline.DETAIL)
    )

    def records(self) -> Iterator[bytes]:
        """Every decision with its detail, as the engine stores it."""
        details = iter(self.details)
        for decision in self.decisions:
            detail = next(details).tobytes() if decision["has_detail"] else b""
            yield decision.tobytes() + detail


@stage
def loop(bars, market_index, finer, told, at, markets, account, params, sims, out):
    """Run until the end or until an array is full.

    Args:
        told: (bits of the holds, book known) at each bar's close; empty: none at all.
        finer: (bars of a finer timeframe, first and end of those within each bar); empty spans mean
            that a bar's own range is all that is known.
        at: (next bar, fills so far, details so far); the same three are returned.
        out: (decisions, details, fills, market of each fill).
    """
    decisions, details, fills, fill_market = out
    fine, first, end = finer
    held, books = told
    log = (fills, fill_market)
    start, n, j = at
    asked = np.zeros(MAX_INTENTS, INTENT)
    found = np.zeros(MAX_FILLS, FILL)
    for i in range(start, len(bars)):
        steps = max(end[i] - first[i], 1) if len(first) > 0 else 1
        if n + (1 + steps) * MAX_FILLS > len(fills) or j + 1 > len(details):
            return i, n, j
        m = market_index[i]
        own = params[m : m + 1]
        wanted = pipeline.on_tick(markets, m, account, own, bars[i].open_ns, bars[i].open, asked)
        accept_all(sims, m, asked, wanted)
        count = fill_model.match_open(sims, m, markets, own, bars, i, found)
        if count > 0:  # the call alone would cost as much as an indicator
            n = settle(markets, m, account, own, sims, (found, count, asked), log, n)
        if len(first) > 0 and end[i] > first[i]:
            for f in range(first[i], end[i]):
                count = fill_model.match_range(sims, m, markets, own, fine, f, found)
                if count > 0:
                    n = settle(markets, m, account, own, sims, (found, count, asked), log, n)
        else:
            count = fill_model.match_range(sims, m, markets, own, bars, i, found)
            if count > 0:
                n = settle(markets, m, account, own, sims, (found, count, asked), log, n)
        if len(held) > 0:
            account[0].holds = held[i]
        if len(books) > 0:
            pipeline.recall_book(markets, m, books[i])
        wanted = pipeline.on_bar(markets, m, account, own, bars, i, decisions, i, details, j, asked)
        j += decisions[i].has_detail
        accept_all(sims, m, asked, wanted)
    return len(bars), n, j


def merge(series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Bars of several markets in (open time, market) order, and the market of each."""
    index = np.repeat(np.arange(len(series)), [len(one) for one in series]).astype("i8")
    if len(series) == 1 and series[0].flags.carray:
        return series[0], index  # a copy of years of bars is time and memory
    bars = np.concatenate(series) if series else np.zeros(0, BAR)
    if len(series) > 1:
        order = np.lexsort((index, bars["open_ns"]))
        bars, index = bars[order], index[order]
    return bars, index


NO_SPANS = np.zeros(0, "i8")
NO_BOOKS = np.zeros(0, USED_BOOK)


def spans(
    series: Sequence[np.ndarray], finer: Sequence[np.ndarray], bars: np.ndarray, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The finer bars of all markets, and those within each bar."""
    if not any(len(one) for one in finer):
        return np.zeros(0, BAR), NO_SPANS, NO_SPANS
    first, end, base = np.zeros(len(bars), "i8"), np.zeros(len(bars), "i8"), 0
    for m, (coarse, fine) in enumerate(zip(series, finer, strict=True)):
        opens = coarse["open_ns"]
        step = int(np.diff(opens).min()) if len(opens) > 1 else 0
        mine = index == m
        first[mine] = base + np.searchsorted(fine["open_ns"], opens)
        end[mine] = base + np.searchsorted(fine["open_ns"], opens + step)
        base += len(fine)
    return np.concatenate(list(finer)), first, end


def run(
    *,
    series: Sequence[np.ndarray],
    markets: np.ndarray,
    params: Sequence[PipelineParams],
    cash: float,
    finer: Sequence[np.ndarray] = (),
    models: Sequence[np.ndarray | None] = (),
    held: np.ndarray | None = None,
    books: np.ndarray = NO_BOOKS,
) -> Result:
    """Trade every series on one shared account.

    Args:
        series: bars (dtype BAR) of each market.
        markets: fresh MARKET records with their instruments' grids.
        params: the parameters of each market.
        cash: quote currency at the start.
        finer: per market bars of a finer timeframe (or none) that tell what happened within a bar.
        models: per market the MODEL record that gates it, or None.
        held: ``codes.HoldBit`` bits at the close of each bar, in (open time, market) order.
        books: what was known of the order book (dtype USED_BOOK) at each close, idem.

    Raises:
        BadBar: a bar that cannot be used.
    """
    for one in (*series, *finer):
        pipeline.check_bars(one)
    bars, index = merge(series)
    gates = models or [None] * len(params)
    records = np.concatenate([pipeline.new_params(*one) for one in zip(params, gates, strict=True)])
    state = (markets.copy(), pipeline.new_account(cash), records, fill_model.new_sims(len(series)))
    decisions = np.empty(len(bars), pipeline.DECISION)  # every field of every record is written
    told = (NO_SPANS if held is None else held.astype("i8"), books)
    out, at = _play(bars, index, spans(series, finer, bars, index), told, state, decisions)
    (_, details, fills, fill_market), (_, n, j) = out, at
    markets, account, _, sims = state
    return Result(decisions, index, fills[:n], fill_market[:n], account, markets, sims, details[:j])


def _play(bars, index, within, told, state, decisions):  # arrays and tuples of them
    """Run the loop to the end, with longer arrays where they were too short."""
    markets, account, records, sims = state
    details = np.empty(max(len(bars) // 8, FIRST_FILLS), pipeline.DETAIL)
    fills, fill_market = np.zeros(FIRST_FILLS, FILL), np.zeros(FIRST_FILLS, "i8")
    room = 2 * MAX_FILLS + MAX_FILLS * int(max((within[2] - within[1]).max(initial=0), 1))
    at = (0, 0, 0)
    while True:
        out = (decisions, details, fills, fill_market)
        at = loop(bars, index, within, told, at, markets, account, records, sims, out)
        if at[0] == len(bars):
            return out, at
        details = _grown(details, at[2], 1)
        fills = _grown(fills, at[1], room)
        fill_market = _grown(fill_market, at[1], room)


def _grown(array: np.ndarray, used: int, room: int) -> np.ndarray:
    """The same array, or twice as long where less than ``room`` is left."""
    if used + room <= len(array):
        return array
    longer = np.empty(max(2 * len(array), used + room), array.dtype)
    longer[:used] = array[:used]
    return longer


def warm() -> None:
    """Compile the loop, or load it from the cache."""
    bars, markets = rehearsal.still_market()
    run(series=[bars], markets=markets, params=[PipelineParams()], cash=1000.0)
