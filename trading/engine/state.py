"""The core's records of one engine: calls the pipeline's doors, saves and restores them."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import numpy as np

from trading.core import pipeline
from trading.core.codes import ExitReason, Purpose, Side
from trading.core.config.groups import GROUPS
from trading.core.config.pipeline import PipelineParams
from trading.core.jit import CORE_HASH
from trading.core.records import ACCOUNT, BAR, FILL, INTENT, MAX_INTENTS
from trading.engine.messages import (
    BarClosed,
    BookSeen,
    FillReport,
    MarketSpec,
    OrderRequest,
    PriceTick,
    StopChanged,
)
from trading.engine.names import KeptNames, from_names, to_names

MIN_DEADLINE_NS = 60_000_000_000
ALL_HOLDS = 31


def layout_hash() -> str:
    """Fingerprint of the record layouts a snapshot was written with."""
    described = repr((pipeline.MARKET.descr, ACCOUNT.descr)).encode()
    return hashlib.sha256(described).hexdigest()


def name_order(engine: UUID, spec: MarketSpec, seq: int) -> str:
    """By which a venue knows an engine's order of this number, sent or not."""
    return str(uuid5(engine, f"{spec.bot_id}:{spec.instrument_id}:{seq}"))


class CoreState:
    """MARKET records, one ACCOUNT record and the read-only parameters of an engine."""

    def __init__(
        self,
        *,
        engine_id: str,
        specs: Sequence[MarketSpec],
        params: Sequence[PipelineParams],
    ) -> None:
        self.specs = tuple(specs)
        self.symbols = [spec.symbol for spec in self.specs]
        self.engine = UUID(engine_id)
        self._params = [pipeline.new_params(one) for one in params]
        self.markets = new_markets(self.specs)
        self.touched = set(range(len(self.specs)))  # may differ from what was journaled last
        self._frames_ns = np.array([spec.timeframe_ns for spec in self.specs])
        self.account = pipeline.new_account(0.0)
        self._bar = np.zeros(1, BAR)
        self._fill = np.zeros(1, FILL)
        self._decision = np.zeros(1, pipeline.DECISION)
        self._detail = np.zeros(1, pipeline.DETAIL)
        self._intents = np.zeros(MAX_INTENTS, INTENT)
        self._names = KeptNames()

    def fund(self, cash: float) -> None:
        """Begin with this much quote currency and nothing held."""
        self.account = pipeline.new_account(cash)

    def on_bar(self, bar: BarClosed, *, holds: int) -> tuple[bytes, list[OrderRequest]]:
        """Decide on a closed bar; the decision's bytes and the orders it asks for."""
        self._bar[0] = (bar.open_ns, bar.open, bar.high, bar.low, bar.close, bar.volume)
        self.account["holds"] = holds
        m = bar.market
        self.touched.add(m)
        told = (self._bar, 0, self._decision, 0, self._detail, 0)
        count = pipeline.on_bar(*self._state(m), *told, self._intents)
        return self.record(), self._orders(m, count)

    def on_book(self, seen: BookSeen) -> bool:
        """Let the next decisions of a market know its book; False if it cannot be used."""
        self.touched.add(seen.market)
        bids, asks = (np.array(side, "f8").reshape(-1, 2) for side in (seen.bids, seen.asks))
        return bool(pipeline.on_book(self.markets, seen.market, seen.time_ns, bids, asks))

    def on_tick(self, tick: PriceTick) -> list[OrderRequest]:
        """Let stops, requested and timed exits see a price."""
        m = tick.market
        self.touched.add(m)
        count = pipeline.on_tick(*self._state(m), tick.time_ns, tick.price, self._intents)
        return self._orders(m, count)

    def on_fill(self, report: FillReport) -> list[OrderRequest]:
        """Move position and account by an execution or by the end of an order."""
        self._fill[0] = (
            report.intent_seq,
            report.time_ns,
            report.purpose,
            report.side,
            report.held_lots,
            report.price_ticks,
            report.fee_units,
            report.liquidity,
            report.reason,
            report.final,
        )
        m = report.market
        self.touched.add(m)
        count = pipeline.on_fill(*self._state(m), self._fill, 0, self._intents)
        return self._orders(m, count)

    def on_stop(self, changed: StopChanged) -> list[OrderRequest]:
        """The resting stop is another than was asked for; what the core asks for instead."""
        m = changed.market
        self.touched.add(m)
        told = (changed.price_ticks, changed.is_whole, changed.time_ns)
        return self._orders(m, pipeline.on_stop(self.markets, m, *told, self._intents))

    def has_dust(self, market: int) -> bool:
        """Whether a position is left that no order may sell."""
        return bool(pipeline.has_dust(self.markets, market))

    def on_dust(self, market: int, time_ns: int) -> int:
        """Write it off; the lots. Only while no order of the market works or is unclear."""
        self.touched.add(market)
        return int(pipeline.on_dust(*self._state(market), time_ns))

    def request_exit(self, market: int, reason: ExitReason) -> bool:
        """Ask for the market's position to be closed at its next price; False when it is flat."""
        position = self.markets[market]["position"]
        if position["quantity_lots"] == 0 and position["entry_seq"] == 0:
            return False
        self.touched.add(market)
        position["exit_requested"] = int(reason)
        return True

    def cursors(self) -> dict[int, int]:
        """Open time of the last bar decided on, by market."""
        return {spec.index: int(self.markets[spec.index]["last_open_ns"]) for spec in self.specs}

    def market_ns(self) -> int:
        """Market time: the close of the newest bar decided on."""
        closed_ns = self.markets["last_open_ns"] + self._frames_ns
        return int(np.where(self.markets["bars_seen"] > 0, closed_ns, 0).max(initial=0))

    def record(self) -> bytes:
        """The newest decision with its detail, if it has one; what ``explain.read`` takes."""
        detail = self._detail.tobytes() if self._decision["has_detail"][0] else b""
        return self._decision.tobytes() + detail

    def _state(self, market: int) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
        """What every door takes first."""
        return self.markets, market, self.account, self._params[market]

    def _orders(self, market: int, count: int) -> list[OrderRequest]:
        return [self._order(market, self._intents[k]) for k in range(count)]

    def _order(self, market: int, intent: np.void) -> OrderRequest:
        spec = self.specs[market]
        seq = int(intent["seq"])
        at_ns = int(intent["at_ns"])
        expires_ns = int(intent["expires_ns"])
        return OrderRequest(
            market=market,
            seq=seq,
            client_order_id=name_order(self.engine, spec, seq),
            at_ns=at_ns,
            purpose=Purpose(int(intent["purpose"])),
            side=Side(int(intent["side"])),
            quantity_lots=int(intent["quantity_lots"]),
            price_ticks=int(intent["price_ticks"]),
            expires_ns=expires_ns,
            replaces_seq=int(intent["replaces_seq"]),
            reason=ExitReason(int(intent["reason"])),
            deadline_ns=max(at_ns + max(2 * spec.timeframe_ns, MIN_DEADLINE_NS), expires_ns),
        )

    def dump(self) -> tuple[bytes, bytes]:
        """The records byte for byte: (markets, account)."""
        return self.markets.tobytes(), self.account.tobytes()

    def load(self, *, markets: bytes, account: bytes) -> None:
        """Take back what ``dump`` gave; only for the same core and layout.

        Raises:
            ValueError: the bytes do not fit the number of markets.
        """
        restored = np.frombuffer(markets, dtype=pipeline.MARKET)
        if len(restored) != len(self.specs):
            raise ValueError(
                f"the snapshot has {len(restored)} markets, the engine {len(self.specs)}"
            )
        self.markets = restored.copy()
        self.touched.clear()
        self.account = np.frombuffer(account, dtype=ACCOUNT).copy()

    def portable_account(self) -> dict[str, Any]:
        """The account as it survives a change of the core."""
        return to_names(self.account[0])

    def portable_market(self, m: int) -> dict[str, Any]:
        """What of a market must survive a change of the core: position, what was learned, cursors."""
        market = self.markets[m]
        return {
            "position": self._names.of(market, m, "position"),
            "learning": self._names.of(market, m, "learning"),
            "intent_seq": int(market["intent_seq"]),
            "last_open_ns": int(market["last_open_ns"]),
        }

    def rebuild(self, saved: dict[str, Any], history: Sequence[np.ndarray]) -> None:
        """Carry positions and account over to another core: warm up again, then put them back.

        Args:
            saved: ``account`` and ``markets`` as the former core's ``portable_…`` gave them.
            history: per market the bars up to and including the saved cursor.
        """
        scratch = pipeline.new_account(float(saved["account"]["cash"]))
        scratch["holds"] = ALL_HOLDS
        for m, (market, bars) in enumerate(zip(saved["markets"], history, strict=True)):
            usable = bars[bars["open_ns"] <= market["last_open_ns"]]
            told = (self._decision, 0, self._detail, 0, self._intents)
            for i in range(len(usable)):
                pipeline.on_bar(self.markets, m, scratch, self._params[m], usable, i, *told)
            record = self.markets[m]
            from_names(record["position"], market["position"])
            from_names(record["learning"], market.get("learning", {}))
            record["intent_seq"] = market["intent_seq"]
            record["last_open_ns"] = market["last_open_ns"]
        from_names(self.account[0], saved["account"])

    @property
    def core_hash(self) -> str:
        """The hash of the core's sources these records belong to."""
        return CORE_HASH


def new_markets(specs: Sequence[MarketSpec]) -> np.ndarray:
    """Fresh MARKET records carrying each instrument's grid."""
    markets = pipeline.new_markets(len(specs))
    for spec in specs:
        grid = markets[spec.index]["instrument"]
        grid["tick_size"] = float(spec.tick_size)
        grid["lot_size"] = float(spec.lot_size)
        grid["min_quantity_lots"] = int(-(-spec.min_quantity // spec.lot_size))
        grid["min_notional"] = float(spec.min_notional)
        grid["timeframe_ns"] = spec.timeframe_ns
        grid["group"] = GROUPS.get(spec.base, 0)
    return markets
