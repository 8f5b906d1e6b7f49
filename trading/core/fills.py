"""Simulated matching: what a venue would have done to our orders within one bar.

Assumptions, all against us: market orders fill at the next bar's open, worse by half the spread
and the slippage; a stop fills at the open when the open is already beyond it, otherwise at its
trigger once the range touches it, worse by the same; prices round to the tick against us; taker
fees. A stop placed after the fill at the open is tested against the whole range of that bar.
"""

import math
from collections.abc import Callable

import numpy as np

from trading.core.codes import Liquidity, Purpose
from trading.core.jit import kernel
from trading.core.records import FEE_UNITS_PER_QUOTE

Match = Callable[..., int]

SIM = np.dtype(
    [
        ("bar_open_ns", "i8"),
        ("phase", "i8"),
        ("market_seq", "i8"),  # a working market order: entry or exit, never both
        ("market_purpose", "i8"),
        ("market_side", "i8"),
        ("market_lots", "i8"),
        ("market_reason", "i8"),
        ("stop_seq", "i8"),
        ("stop_purpose", "i8"),
        ("stop_side", "i8"),
        ("stop_lots", "i8"),
        ("stop_ticks", "i8"),
        ("stop_reason", "i8"),
    ]
)
SLOTS = ("market_seq", "stop_seq")
PHASE_OPEN_DONE = 1
PHASE_RANGE_DONE = 2
ENTRY, PROTECT = int(Purpose.ENTRY), int(Purpose.PROTECT)
MOVE_STOP, EXIT = int(Purpose.MOVE_STOP), int(Purpose.EXIT)
TAKER = int(Liquidity.TAKER)


def new_sims(count: int) -> np.ndarray:
    """Empty books for a number of markets."""
    return np.zeros(count, SIM)


@kernel
def accept(sims, m, intents, k):
    """Take an order into the book; PROTECT and MOVE_STOP set the stop, EXIT takes its place."""
    sim, intent = sims[m], intents[k]
    if intent.purpose == PROTECT or intent.purpose == MOVE_STOP:
        sim.stop_seq = intent.seq
        sim.stop_purpose = intent.purpose
        sim.stop_side = intent.side
        sim.stop_lots = intent.quantity_lots
        sim.stop_ticks = intent.price_ticks
        sim.stop_reason = intent.reason
        return
    if intent.purpose == EXIT:
        sim.stop_seq = 0
    sim.market_seq = intent.seq
    sim.market_purpose = intent.purpose
    sim.market_side = intent.side
    sim.market_lots = intent.quantity_lots
    sim.market_reason = intent.reason


@kernel
def execute(fill, instrument, costs, price, side, lots, time_ns):
    """Price, fee and quantity of a taker fill from the price it met."""
    worse = (costs.half_spread_bps + costs.slippage_bps) * 1e-4
    level = price * (1.0 + side * worse) / instrument.tick_size
    ticks = math.ceil(level - 1e-9) if side > 0 else math.floor(level + 1e-9)
    fill.price_ticks = max(int(ticks), 1)
    fill.quantity_lots = lots
    fill.side = side
    fill.time_ns = time_ns
    fill.liquidity = TAKER
    fill.final = 1
    notional = fill.price_ticks * instrument.tick_size * (lots * instrument.lot_size)
    fill.fee_units = math.floor(notional * costs.taker_fee_bps * 1e-4 * FEE_UNITS_PER_QUOTE + 0.5)


@kernel
def fill_stop(sim, instrument, costs, price, time_ns, fill):
    """The stop of the book trades at ``price``."""
    fill.intent_seq = sim.stop_seq
    fill.purpose = sim.stop_purpose
    fill.reason = sim.stop_reason
    execute(fill, instrument, costs, price, sim.stop_side, sim.stop_lots, time_ns)
    sim.stop_seq = 0


@kernel
def match_open(sims, m, markets, params, bars, i, fills):
    """What trades at the bar's open; the number of fills written (0 or 1)."""
    sim, bar = sims[m], bars[i]
    sim.bar_open_ns = bar.open_ns
    sim.phase = PHASE_OPEN_DONE
    instrument, costs = markets[m].instrument, params[0].costs
    if sim.market_seq > 0:
        fills[0].intent_seq = sim.market_seq
        fills[0].purpose = sim.market_purpose
        fills[0].reason = sim.market_reason
        execute(
            fills[0], instrument, costs, bar.open, sim.market_side, sim.market_lots, bar.open_ns
        )
        sim.market_seq = 0
        return 1
    if sim.stop_seq > 0:
        trigger = sim.stop_ticks * instrument.tick_size
        if (bar.open - trigger) * sim.stop_side >= 0.0:
            fill_stop(sim, instrument, costs, bar.open, bar.open_ns, fills[0])
            return 1
    return 0


@kernel
def match_range(sims, m, markets, params, bars, i, fills):
    """What trades within the bar's range after its open; the number of fills written (0 or 1)."""
    sim, bar = sims[m], bars[i]
    sim.phase = PHASE_RANGE_DONE
    if sim.stop_seq <= 0:
        return 0
    instrument = markets[m].instrument
    trigger = sim.stop_ticks * instrument.tick_size
    touched = bar.low <= trigger if sim.stop_side < 0 else bar.high >= trigger
    if not touched:
        return 0
    # The stop may have been placed after an open beyond it: it trades no better than the open.
    met = min(trigger, bar.open) if sim.stop_side < 0 else max(trigger, bar.open)
    fill_stop(sim, instrument, params[0].costs, met, bar.open_ns, fills[0])
    return 1
