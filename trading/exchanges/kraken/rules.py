"""What Kraken asks of orders in its pairs now: its table of them, and what its stream says since."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from trading.engine.errors import CannotTrade
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges import grids
from trading.exchanges.failures import UNREADABLE
from trading.exchanges.kraken import names
from trading.exchanges.kraken.admission import check_pair
from trading.exchanges.kraken.instruments import Rows
from trading.exchanges.kraken.terms import ONLINE, open_pair
from trading.exchanges.rules_watch import VENUE, Whys
from trading.exchanges.sockets import Frame
from trading.exchanges.tables import Table

log = structlog.get_logger(__name__)

NEWER_SECONDS = 30.0  # so long a table may have been read before what the stream told


@dataclass(slots=True)
class Rules:
    """Of the pairs of one account; a pair that is listed no more keeps its last row, if it had one."""

    table: Table
    specs: Sequence[MarketSpec]
    pairs: dict[str, names.Pair] = field(default_factory=dict)
    mode: str = ONLINE  # of the whole venue, as its stream told last
    _gone: frozenset[str] = frozenset()
    _heard_at: dict[str, float] = field(default_factory=dict)  # symbol -> when the stream told it

    def fit(self, order: OrderRequest) -> OrderRequest:
        """An order on the grid of now; of a pair that was never listed as it is."""
        spec = self.specs[order.market]
        pair = self.pairs.get(spec.symbol)
        if pair is None:
            return order
        return grids.fit(order, spec, tick_size=pair.tick_size, lot_size=pair.lot_size)

    def closed_by(self, market: int) -> str:
        """Why nothing can be sold at the market, as far as was heard; empty: it can."""
        symbol = self.specs[market].symbol
        pair = self.pairs.get(symbol)
        if self.mode != ONLINE:
            return f"Kraken is in {self.mode} mode"
        if pair is None or symbol in self._gone:
            return f"{symbol} is not listed"
        return "" if pair.status == ONLINE else f"{pair.symbol} is {pair.status!r}"

    def hear(self, rows: Rows) -> Whys | None:
        """The stream told of pairs: why no position can be opened and left now; None: as before."""
        known = {spec.symbol for spec in self.specs} & self.pairs.keys()
        before = ({symbol: self.pairs[symbol] for symbol in known}, self._gone)
        for row in rows:
            symbol = str(row.get("symbol"))
            if symbol not in known:
                continue
            try:
                self.pairs[symbol] = names.heard_pair(self.pairs[symbol], row)
            except UNREADABLE as error:
                log.warning("pair_not_read", symbol=symbol, why=repr(error))
                continue
            self._heard_at[symbol] = time.monotonic()
            self._gone = self._gone - {symbol}
        after = ({symbol: self.pairs[symbol] for symbol in known}, self._gone)
        return None if after == before else self.verdicts()

    def hear_mode(self, frame: Frame) -> Whys | None:
        """The stream told of the whole venue, at its beginning or because it changed; as ``hear``."""
        rows = frame.get("data")
        told = rows[0] if isinstance(rows, list) and rows else {}
        mode = str(told.get("system") or "") if isinstance(told, dict) else ""
        if mode in ("", self.mode):
            return None
        self.mode = mode
        return self.verdicts()

    async def reload(self) -> Whys:
        """Read the table; why no position can be opened and left now.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        symbols = [spec.symbol for spec in self.specs]
        listed = names.read_pairs(await self.table.rows(symbols))
        oldest = time.monotonic() - NEWER_SECONDS
        listed |= {one: self.pairs[one] for one, at in self._heard_at.items() if at > oldest}
        self.pairs.update(listed)
        self._gone = frozenset(symbols).difference(listed)
        return self.verdicts()

    def verdicts(self) -> Whys:
        """Why no position can be opened and left now."""
        is_online = self.mode == ONLINE
        mode = "" if is_online else f"Kraken is in {self.mode} mode; accepted is {ONLINE!r}"
        return {VENUE: mode} | {spec.symbol: self._why(spec) for spec in self.specs}

    def _why(self, spec: MarketSpec) -> str:
        listed = {one: pair for one, pair in self.pairs.items() if one not in self._gone}
        try:
            check_pair(listed, spec)
            open_pair(listed[spec.symbol])
        except CannotTrade as problem:
            return str(problem)
        return ""
