"""Fills -> round trips: from flat to flat, with every exit on the way and what led to the entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

import numpy as np

from trading.core.codes import ExitReason, Purpose, Regime
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.records import FEE_UNITS_PER_QUOTE

NO_STRATEGY = "none"


class Finished(Protocol):
    """What a run left behind, as far as its analysis needs it (``runner.Result``)."""

    @property
    def decisions(self) -> np.ndarray: ...
    @property
    def decision_market(self) -> np.ndarray: ...
    @property
    def fills(self) -> np.ndarray: ...
    @property
    def fill_market(self) -> np.ndarray: ...
    @property
    def account(self) -> np.ndarray: ...
    @property
    def markets(self) -> np.ndarray: ...


@dataclass(frozen=True, slots=True)
class Grid:
    """Name and decimal steps of one market."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal


@dataclass(frozen=True, slots=True)
class Exit:
    """One fill that reduced the position; ``profit`` bears its share of the entry's fees."""

    time_ns: int
    quantity: Decimal
    price: Decimal
    fees: Decimal
    profit: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """From flat to flat: what was bought and sold, fees included in ``profit``."""

    market: int
    symbol: str
    side: str
    entry_ns: int
    exit_ns: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees: Decimal
    profit: Decimal
    reason: str  # of the exit that made it flat
    exits: tuple[Exit, ...]
    strategy: str
    regime: str
    risk: Decimal | None  # lost at the first stop, costs aside; None: unknown
    equity: float | None  # of the account when the entry was decided

    @property
    def sign(self) -> int:
        """+1 long, -1 short."""
        return 1 if self.side == "long" else -1

    @property
    def notional(self) -> Decimal:
        """What the entry cost or brought, fees aside."""
        return self.quantity * self.entry_price

    @property
    def r(self) -> float | None:
        """Profit in multiples of what was at risk."""
        return float(self.profit / self.risk) if self.risk else None


class _Fill(NamedTuple):
    seq: int
    time_ns: int
    is_entry: bool
    side: int
    lots: int
    ticks: int
    fee: Decimal
    reason: int


def round_trips(result: Finished, grids: Sequence[Grid]) -> list[RoundTrip]:
    """Closed positions in order of their end; exact decimals of ticks and lots."""
    entries = _entries(result)
    opened: dict[int, list[_Fill]] = {}
    trips = []
    for market, fill in zip(result.fill_market.tolist(), _fills(result.fills), strict=True):
        if fill.lots == 0:
            continue
        held = opened.setdefault(market, [])
        held.append(fill)
        if sum(one.side * one.lots for one in held) == 0:
            decision = entries.get((market, held[0].seq))
            trips.append(_round_trip(opened.pop(market), market, grids[market], decision))
    return trips


def profits(fills: np.ndarray, grid: Grid) -> list[float]:
    """Profit of each closed position of one market, fees included: those of ``round_trips``."""
    names = ("side", "quantity_lots", "price_ticks", "fee_units")
    found, held, value, fees = [], 0, 0, 0
    for side, lots, ticks, fee in zip(*(fills[name].tolist() for name in names), strict=True):
        held += side * lots
        value -= side * lots * ticks
        fees += fee
        if held == 0 and lots:
            found.append(float(value * grid.lot_size * grid.tick_size - _quote(fees)))
            value = fees = 0
    return found


def _fills(rows: np.ndarray) -> list[_Fill]:
    names = ("intent_seq", "time_ns", "purpose", "side", "quantity_lots", "price_ticks")
    columns = [rows[name].tolist() for name in (*names, "fee_units", "reason")]
    return [
        _Fill(seq, at, what == Purpose.ENTRY, side, lots, ticks, _quote(fee), reason)
        for seq, at, what, side, lots, ticks, fee, reason in zip(*columns, strict=True)
    ]


def _quote(fee_units: int) -> Decimal:
    return Decimal(fee_units) / FEE_UNITS_PER_QUOTE


def _entries(result: Finished) -> dict[tuple[int, int], np.void]:
    """The decision of every entry intent, by market and number of the intent."""
    rows = np.flatnonzero(result.decisions["intent_seq"] > 0)
    markets = result.decision_market[rows].tolist()
    decisions = result.decisions[rows]
    keys = zip(markets, decisions["intent_seq"].tolist(), strict=True)
    return dict(zip(keys, decisions, strict=True))


def _round_trip(fills: list[_Fill], market: int, grid: Grid, decision: np.void | None) -> RoundTrip:
    entries = [fill for fill in fills if fill.is_entry]
    exits = [fill for fill in fills if not fill.is_entry]
    side = entries[0].side
    quantity = sum(fill.lots for fill in entries) * grid.lot_size
    bought, sold = _value(entries, grid), _value(exits, grid)
    fees = sum((fill.fee for fill in fills), Decimal(0))
    paid = sum((fill.fee for fill in entries), Decimal(0))
    legs = tuple(_exit(fill, side, grid, bought / quantity, paid / quantity) for fill in exits)
    distance = _decimal(decision["stop_distance"]) if decision is not None else None
    return RoundTrip(
        market=market,
        symbol=grid.symbol,
        side="long" if side > 0 else "short",
        entry_ns=entries[0].time_ns,
        exit_ns=exits[-1].time_ns,
        quantity=quantity,
        entry_price=bought / quantity,
        exit_price=sold / quantity,
        fees=fees,
        profit=side * (sold - bought) - fees,
        reason=legs[-1].reason,
        exits=legs,
        strategy=NO_STRATEGY if decision is None else credited_strategy(decision),
        regime=_words(Regime(0 if decision is None else int(decision["regime"]))),
        risk=distance * quantity if distance else None,
        equity=None if decision is None else float(decision["equity"]),
    )


def _value(fills: list[_Fill], grid: Grid) -> Decimal:
    return sum(fill.lots * fill.ticks for fill in fills) * grid.lot_size * grid.tick_size


def _exit(fill: _Fill, side: int, grid: Grid, entry_price: Decimal, entry_fee: Decimal) -> Exit:
    quantity, price = fill.lots * grid.lot_size, fill.ticks * grid.tick_size
    fees = fill.fee + entry_fee * quantity
    profit = side * (price - entry_price) * quantity - fees
    return Exit(fill.time_ns, quantity, price, fees, profit, _words(ExitReason(fill.reason)))


def _words(code: ExitReason | Regime) -> str:
    return code.name.replace("_", " ").lower()


def _decimal(value: float) -> Decimal | None:
    return Decimal(str(float(value))) if np.isfinite(value) and value > 0 else None


def credited_strategy(decision: np.void) -> str:
    """Whose stop and target an entry took, in the core's own word."""
    number = int(decision["strategy"])
    return STRATEGY_NAMES[number] if number >= 0 else NO_STRATEGY
