"""The paper venue: orders matched by the core's own fill model over a feed's bars.

For each bar it tells, in this order: a tick at the open, the fill at the open, the fill within the
bar's range, the closed bar. The next is produced only after the last was handled, so a stop placed
after an entry's fill at the open is already resting when the range of the same bar is tested.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import numpy as np

from trading.core import fills, pipeline
from trading.core.config.pipeline import PipelineParams
from trading.core.records import BAR, FILL, INTENT, MAX_FILLS
from trading.engine.batches import Evidence, Known, OpenIntent
from trading.engine.errors import NoSight, Refused
from trading.engine.messages import (
    BarClosed,
    BookSeen,
    FeedChange,
    FillReport,
    MarketSpec,
    Message,
    OrderRequest,
    PriceTick,
)
from trading.engine.names import from_names
from trading.engine.ports import MarketFeed
from trading.engine.sights import Sight, VenueOrder
from trading.engine.state import new_markets


class PaperVenue:
    """Venue port over ``core.fills``: same fills as the backtester, order by order."""

    has_account = False

    def __init__(
        self, *, feed: MarketFeed, specs: Sequence[MarketSpec], params: Sequence[PipelineParams]
    ) -> None:
        self._feed = feed
        self._markets = new_markets(specs)
        self._params = [pipeline.new_params(one) for one in params]
        self._sims = fills.new_sims(len(specs))
        self._bar = np.zeros(1, BAR)
        self._intent = np.zeros(1, INTENT)
        self._fills = np.zeros(MAX_FILLS, FILL)

    async def messages(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[Message]:
        """Ticks, fills and bars in the order a venue would tell them."""
        async for bar in self._feed.news(after_ns=after_ns):
            if not isinstance(bar, BarClosed):
                if isinstance(bar, FeedChange | BookSeen):
                    yield bar
                continue  # prices between bars would fill here otherwise than in a backtest
            self._bar[0] = (bar.open_ns, bar.open, bar.high, bar.low, bar.close, bar.volume)
            phase = self._phase_of(bar)
            if phase < fills.PHASE_OPEN_DONE:
                yield PriceTick(bar.market, bar.open_ns, bar.open)
                for report in self._match(bar, fills.match_open):
                    yield report
            if phase < fills.PHASE_RANGE_DONE:
                for report in self._match(bar, fills.match_range):
                    yield report
            yield bar

    def _phase_of(self, bar: BarClosed) -> int:
        """How far this very bar was matched before a restart."""
        sim = self._sims[bar.market]
        return int(sim["phase"]) if int(sim["bar_open_ns"]) == bar.open_ns else 0

    def _match(self, bar: BarClosed, match: "fills.Match") -> list[FillReport]:
        m = bar.market
        count = match(self._sims, m, self._markets, self._params[m], self._bar, 0, self._fills)
        return [self._report(m, self._fills[k]) for k in range(count)]

    def _report(self, market: int, fill: np.void) -> FillReport:
        seq = int(fill["intent_seq"])
        trade = f"{market}-{seq}-{int(fill['time_ns'])}"
        return FillReport(
            market=market,
            intent_seq=seq,
            time_ns=int(fill["time_ns"]),
            purpose=int(fill["purpose"]),
            side=int(fill["side"]),
            quantity_lots=int(fill["quantity_lots"]),
            price_ticks=int(fill["price_ticks"]),
            fee_units=int(fill["fee_units"]),
            liquidity=int(fill["liquidity"]),
            reason=int(fill["reason"]),
            final=int(fill["final"]),
            venue_order_id=venue_order_id(market, seq),
            venue_trade_id=f"paper-{trade}",
        )

    async def submit(self, order: OrderRequest) -> str:
        """Take an order into the simulated book.

        Raises:
            Refused: the quantity is not a positive number of lots.
        """
        if order.quantity_lots <= 0:
            raise Refused(f"quantity must be at least 1 lot, was {order.quantity_lots}")
        self._intent[0] = (
            order.seq,
            order.at_ns,
            int(order.purpose),
            int(order.side),
            order.quantity_lots,
            order.price_ticks,
            order.replaces_seq,
            int(order.reason),
            order.expires_ns,
        )
        fills.accept(self._sims, order.market, self._intent, 0)
        return venue_order_id(order.market, order.seq)

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Take a working order out of the simulated book."""
        sim = self._sims[market]
        for slot in fills.SLOTS:
            if int(sim[slot]) == seq and seq > 0:
                sim[slot] = 0
                return True
        return False

    async def lookup(self, order: OrderRequest) -> Evidence:
        """Whether the order rests in the book; what does not was never taken or is told already."""
        sim, seq = self._sims[order.market], order.seq
        if seq > 0 and any(int(sim[slot]) == seq for slot in fills.SLOTS):
            return Evidence(Known.WORKING, venue_order_id(order.market, seq))
        return Evidence(Known.ABSENT)

    async def list_orders(self, *, since_ns: int) -> Sequence[VenueOrder]:
        """None: it has no order that is not in the journal."""
        return ()

    async def look(self) -> Sight:
        """Nobody else acts here.

        Raises:
            NoSight: always; the engine's books are the account.
        """
        raise NoSight("a paper account has no books but ours")

    def adopt(self, *, intents: Sequence[OpenIntent], booked_trades: frozenset[str]) -> None:
        """Nothing: the book was restored as it stood."""

    def booked(self, report: FillReport) -> None:
        """Nothing: the next is matched only after the last was handled."""

    def time_ns(self) -> int:
        """Bars alone carry time."""
        return 0

    def snapshot(self) -> bytes:
        """The simulated book, by field names."""
        names = fills.SIM.names or ()
        return msgspec.json.encode(
            [dict(zip(names, sim, strict=True)) for sim in self._sims.tolist()]
        )

    def restore(self, state: bytes) -> None:
        """Take back the simulated book; fields that no longer exist are dropped.

        An account that traded live before comes with none, and begins with an empty one.
        """
        if not state:
            return
        for sim, values in zip(self._sims, msgspec.json.decode(state), strict=True):
            from_names(sim, values)


def venue_order_id(market: int, seq: int) -> str:
    """The paper venue's own name of an order."""
    return f"paper-{market}-{seq}"
