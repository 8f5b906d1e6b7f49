"""What the pages see of a running engine; built at most ten times a second."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.core import explain
from trading.core.codes import ExitReason, HoldBit, Purpose, Side
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.messages import BarClosed, FillReport, MarketSpec
from trading.engine.ports import Clock, EventSink
from trading.engine.quotes import Quotes
from trading.engine.state import CoreState

NS_PER_MS = 1_000_000
SECONDS_BETWEEN_UPDATES = 0.1
SECONDS_BETWEEN_BEATS = 1.0
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Identity:
    """Facts of the engine that do not change while it leads."""

    engine_id: str
    mode: str
    venue: str
    currency: str


def money(value: float) -> str:
    """A float of the core as text with cents, for the eye only."""
    return f"{value:.2f}"


def price_text(spec: MarketSpec, ticks: int) -> str:
    """Ticks as an exact price; empty for none."""
    return f"{(spec.tick_size * ticks).normalize():f}" if ticks else ""


def quantity_text(spec: MarketSpec, lots: int) -> str:
    """Lots as an exact quantity."""
    return f"{(spec.lot_size * abs(lots)).normalize():f}"


class LiveView:
    """Turns the core's records into the payloads of ``trading.stream.payloads``."""

    def __init__(
        self,
        *,
        sink: EventSink,
        identity: Identity,
        clock: Clock,
        market_data: Callable[[], str] = lambda: "",
        quotes: Quotes | None = None,
    ) -> None:
        self._sink = sink
        self._identity = identity
        self._clock = clock
        self._market_data = market_data
        self._quotes = quotes or Quotes(clock.monotonic)
        self._fresh: set[int] = set()  # markets whose price was told as a fresh quote
        self._last_by_market: dict[int, float] = {}
        self._bars = 0
        self._rate_from = (clock.monotonic(), 0)
        self._rate = 0.0
        self._told_at = 0.0
        self._bar_wall_ms = 0
        self.epoch = 0

    def bar(self, bar: BarClosed, core: CoreState) -> None:
        """A bar was decided on."""
        self._bars += 1
        self._bar_wall_ms = self._wall_ms()
        now = self._clock.monotonic()
        if now - self._last_by_market.get(bar.market, -1.0) < SECONDS_BETWEEN_UPDATES:
            return
        self._last_by_market[bar.market] = now
        self._measure(now)
        spec = core.specs[bar.market]
        self._publish("bar", bar.market, bar_payload(spec, bar))
        self._quotes.forget_stale(bar.market)
        described = {"symbol": spec.symbol, **explain.describe(explain.read(core.record()))}
        self._publish("decision", bar.market, described)
        self._publish_price(bar.market, core)
        self._publish_engine(core)

    def fill(self, report: FillReport, core: CoreState) -> None:
        """An execution, or the end of an order, was booked."""
        spec = core.specs[report.market]
        if report.quantity_lots:
            self._publish("fill", report.market, fill_payload(spec, report))
        self._publish_position(report.market, core)

    def dust(self, market: int, core: CoreState) -> None:
        """What no order may sell was written off."""
        self._publish_position(market, core)

    def _publish_prices(self, core: CoreState) -> None:
        """What moved between bars, and what went stale."""
        changed = self._quotes.take_changed()
        stale = [market for market in sorted(self._fresh) if self._quotes.is_stale(market)]
        for market in sorted(changed.union(stale)):
            self._publish_price(market, core)

    def _publish_price(self, market: int, core: CoreState) -> None:
        """The newest price of a market, and what its position is worth at it."""
        quotes = self._quotes
        is_fresh = quotes.find(market) is not None and not quotes.is_stale(market)
        (self._fresh.add if is_fresh else self._fresh.discard)(market)
        heard_ms = self._wall_ms() - round(quotes.age(market) * 1000)
        told = {**price_payload(core, market, quotes), "wall_ms": heard_ms}
        self._publish("price", market, told)
        self._publish_position(market, core)

    def _publish_position(self, market: int, core: CoreState) -> None:
        self._publish("position", market, position_payload(core, market, self._quotes))

    def _publish(self, kind: str, market: int, value: dict[str, Any]) -> None:
        engine_id = self._identity.engine_id
        self._sink.publish(f"{kind}:{market}:{engine_id}", {"engine_id": engine_id, **value})

    def alert(self, cause: str, words: str) -> None:
        """A breaker tripped."""
        told = {"engine_id": self._identity.engine_id, "cause": cause, "words": words}
        told_at = {**told, "wall_ms": self._wall_ms()}
        self._sink.publish(f"alert::{self._identity.engine_id}", told_at)

    def _wall_ms(self) -> int:
        return self._clock.now_ns() // NS_PER_MS

    def beat(self, core: CoreState) -> None:
        """Prices as they moved; a sign of life also when no bar comes, once a second is enough."""
        self._publish_prices(core)
        now = self._clock.monotonic()
        if now - self._told_at >= SECONDS_BETWEEN_BEATS:
            self._measure(now)
            self._publish_engine(core)

    def holds(self, core: CoreState, bits: int) -> None:
        """Holds changed."""
        core.account["holds"] = bits
        self._publish_engine(core)

    def ended(self, core: CoreState, *, observed: str, detail: str) -> None:
        """The last word of an engine that stops or has replayed everything."""
        self._publish_engine(core, observed=observed, detail=detail)

    def _measure(self, now: float) -> None:
        since, bars = self._rate_from
        if now - since >= 1.0:
            self._rate = (self._bars - bars) / (now - since)
            self._rate_from = (now, self._bars)

    def _publish_engine(
        self, core: CoreState, *, observed: str = "RUNNING", detail: str = ""
    ) -> None:
        account = core.account[0]
        today = float(account["equity"]) - float(account["day_start_equity"])
        self._told_at = self._clock.monotonic()
        self._sink.publish(
            f"engine::{self._identity.engine_id}",
            {
                "engine_id": self._identity.engine_id,
                "observed": observed,
                "detail": detail,
                "epoch": self.epoch,
                "mode": self._identity.mode,
                "venue": self._identity.venue,
                "market_data": self._market_data(),
                "market_ms": core.market_ns() // NS_PER_MS,
                "wall_ms": self._wall_ms(),
                "bar_wall_ms": self._bar_wall_ms,
                "bars": self._bars,
                "decisions": self._bars,
                "bars_per_second": round(self._rate, 1),
                "equity": money(float(account["equity"])),
                "today": money(today),
                "cash": money(float(account["cash"])),
                "realized": money(float(account["realized"])),
                "fees": money(float(account["fees"])),
                "currency": self._identity.currency,
                "holds": [
                    {"kind": bit.name, "reason": HOLD_WORDS[bit]}
                    for bit in HoldBit
                    if int(account["holds"]) & bit
                ],
            },
        )


HOLD_WORDS = {
    HoldBit.OPERATOR: "paused by a person; Resume lifts it",
    HoldBit.BREAKER: "a circuit breaker; lifts when its cause is gone",
    HoldBit.BILLING: "the workspace lapsed or is suspended",
    HoldBit.DATA: "market data is missing or stale",
    HoldBit.RISK: "a risk limit was reached",
}


def bar_payload(spec: MarketSpec, bar: BarClosed) -> dict[str, Any]:
    """payloads.Bar."""
    return {
        "symbol": spec.symbol,
        "open_ms": bar.open_ns // NS_PER_MS,
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
    }


def last_price(core: CoreState, market: int, quotes: Quotes) -> float:
    """What a market is worth to the eye: as it is quoted now, else at its newest close."""
    quote = quotes.find(market)
    return quote.price if quote else float(core.markets[market]["last_close"])


def price_payload(core: CoreState, market: int, quotes: Quotes) -> dict[str, Any]:
    """payloads.Price, but for when it was heard."""
    spec, quote = core.specs[market], quotes.find(market)
    best = (quote.bid, quote.ask) if quote and quote.has_best else None
    return {
        "symbol": spec.symbol,
        "price": digits(spec, last_price(core, market, quotes)),
        "source": ("middle" if best else "trade") if quote else "close",
        "bid": digits(spec, best[0]) if best else "",
        "ask": digits(spec, best[1]) if best else "",
        "change": quote.change if quote else None,
        "volume": quote.volume if quote else None,
        "is_stale": quotes.is_stale(market),
    }


def position_payload(core: CoreState, market: int, quotes: Quotes) -> dict[str, Any]:
    """payloads.Position."""
    spec, record = core.specs[market], core.markets[market]
    position = record["position"]
    lots = int(position["quantity_lots"])
    last = last_price(core, market, quotes)
    entry = float(position["entry_price"])
    target = float(position["target"])
    stop = float(spec.tick_size) * int(position["stop_ticks"])
    unrealized = (last - entry) * lots * float(spec.lot_size)
    side = "FLAT" if lots == 0 else ("LONG" if lots > 0 else "SHORT")
    return {
        "symbol": spec.symbol,
        "side": side,
        "quantity": quantity_text(spec, lots),
        "entry_price": digits(spec, entry) if lots else "",
        "stop_price": price_text(spec, int(position["stop_ticks"])) if lots else "",
        "target_price": digits(spec, target) if lots and target == target else "",
        "last_price": digits(spec, last),
        "unrealized": money(unrealized) if lots else "",
        "to_stop": away(last, stop) if lots and stop else None,
        "to_target": away(last, target) if lots and target == target else None,
        "is_stale": quotes.is_stale(market),
        "opened_ms": int(position["entry_ns"]) // NS_PER_MS if lots else 0,
    }


def digits(spec: MarketSpec, price: float) -> str:
    """A float of the core, or of a venue's, with the decimals of its market, for the eye only."""
    return f"{price:.{max(0, -int(spec.tick_size.normalize().as_tuple().exponent))}f}"


def away(price: float, level: float) -> float | None:
    """How far a price must go to meet a level, as a fraction of it; below zero: down."""
    return round(level / price - 1, 6) if price > 0 else None


def fill_payload(spec: MarketSpec, report: FillReport) -> dict[str, Any]:
    """payloads.Fill."""
    return {
        "symbol": spec.symbol,
        "side": Side(report.side).name,
        "quantity": quantity_text(spec, report.quantity_lots),
        "price": f"{spec.price_of(report).normalize():f}",
        "fee": f"{(Decimal(report.fee_units) / FEE_UNITS_PER_QUOTE).quantize(CENT)}",
        "purpose": Purpose(report.purpose).name,
        "reason": ExitReason(report.reason).name,
        "filled_ms": report.time_ns // NS_PER_MS,
    }
