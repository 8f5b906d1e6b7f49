"""Simulated matching: what a venue would have done to our orders within one bar.

Assumptions, all against us: market orders fill at the next bar's open, moved by the latency's share
of the bar towards its worse end, and worse by half the spread, the slippage and the impact of their
size; a stop fills at the open when the open is already beyond it, otherwise at its trigger once the
range touches it, worse by the same; a limit fills only where the price goes through it by a tick,
no faster than its share of the volume, at the maker's fee; prices round to the tick against us. A
stop placed after the fill at the open is tested against the whole range of that bar, and before any
limit: of two orders that one bar could have filled, the worse for us comes first.
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
        ("market_seq", "i8"),  # a working market order: entry, exit or part of one
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
        ("limit_seq", "i8"),  # a post-only entry
        ("limit_side", "i8"),
        ("limit_lots", "i8"),  # what is left of it
        ("limit_ticks", "i8"),
        ("limit_expires_ns", "i8"),
    ]
)
SLOTS = ("market_seq", "stop_seq", "limit_seq")
PHASE_OPEN_DONE = 1
PHASE_RANGE_DONE = 2
ENTRY, PROTECT = int(Purpose.ENTRY), int(Purpose.PROTECT)
MOVE_STOP, EXIT = int(Purpose.MOVE_STOP), int(Purpose.EXIT)
TAKER, MAKER = int(Liquidity.TAKER), int(Liquidity.MAKER)
NS_PER_MS = 1_000_000


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
    if intent.purpose == ENTRY and intent.price_ticks > 0:
        sim.limit_seq = intent.seq
        sim.limit_side = intent.side
        sim.limit_lots = intent.quantity_lots
        sim.limit_ticks = intent.price_ticks
        sim.limit_expires_ns = intent.expires_ns
        return
    if intent.purpose == EXIT:
        sim.stop_seq = 0
    sim.market_seq = intent.seq
    sim.market_purpose = intent.purpose
    sim.market_side = intent.side
    sim.market_lots = intent.quantity_lots
    sim.market_reason = intent.reason


@kernel
def worse_by(costs, quantity, volume):
    """Half the spread, the slippage and the impact of the size, as a fraction of the price.

    The impact grows with the square root of the order's share of the bar's volume (Almgren et al.,
    "Direct estimation of equity market impact", 2005); a bar without volume counts as all of it.
    """
    share = quantity / volume if volume > 0.0 else 1.0
    return (costs.half_spread_bps + costs.slippage_bps + costs.impact_bps * math.sqrt(share)) * 1e-4


@kernel
def delayed_open(instrument, costs, bar, side):
    """The open, moved by the latency's share of the bar towards the end that is worse for us."""
    share = min(costs.latency_ms * NS_PER_MS / instrument.timeframe_ns, 1.0)
    return bar.open + share * ((bar.high if side > 0 else bar.low) - bar.open)


@kernel
def pay(fill, instrument, fee_bps):
    """Fee of the fill, rounded to its unit."""
    lots = fill.quantity_lots * instrument.lot_size
    notional = fill.price_ticks * instrument.tick_size * lots
    fill.fee_units = math.floor(notional * fee_bps * 1e-4 * FEE_UNITS_PER_QUOTE + 0.5)


@kernel
def execute(fill, instrument, costs, price, side, lots, bar):
    """Price, fee and quantity of a taker fill from the price it met."""
    worse = worse_by(costs, lots * instrument.lot_size, bar.volume)
    level = price * (1.0 + side * worse) / instrument.tick_size
    ticks = math.ceil(level - 1e-9) if side > 0 else math.floor(level + 1e-9)
    fill.price_ticks = max(int(ticks), 1)
    fill.quantity_lots = lots
    fill.side = side
    fill.time_ns = bar.open_ns
    fill.liquidity = TAKER
    fill.final = 1
    pay(fill, instrument, costs.taker_fee_bps)


@kernel
def fill_stop(sim, instrument, costs, price, bar, fill):
    """The stop of the book trades at ``price``."""
    fill.intent_seq = sim.stop_seq
    fill.purpose = sim.stop_purpose
    fill.reason = sim.stop_reason
    execute(fill, instrument, costs, price, sim.stop_side, sim.stop_lots, bar)
    sim.stop_seq = 0


@kernel
def end_limit(sim, fill, time_ns):
    """The limit's time is over: it ends without a further fill."""
    fill.intent_seq = sim.limit_seq
    fill.purpose = ENTRY
    fill.side = sim.limit_side
    fill.quantity_lots = 0
    fill.price_ticks = 0
    fill.fee_units = 0
    fill.time_ns = time_ns
    fill.liquidity = MAKER
    fill.reason = 0
    fill.final = 1
    sim.limit_seq = 0


@kernel
def fill_limit(sim, instrument, costs, bar, fill):
    """What the limit gets of a bar that went through it; 1 if anything, else 0."""
    limit = sim.limit_ticks * instrument.tick_size
    through = limit - bar.low if sim.limit_side > 0 else bar.high - limit
    if through < instrument.tick_size * (1.0 - 1e-9):
        return 0
    lots = min(math.floor(bar.volume * costs.fill_share / instrument.lot_size), sim.limit_lots)
    if lots < 1:
        return 0
    sim.limit_lots -= lots
    fill.intent_seq = sim.limit_seq
    fill.purpose = ENTRY
    fill.reason = 0
    fill.side = sim.limit_side
    fill.quantity_lots = lots
    fill.price_ticks = sim.limit_ticks
    fill.time_ns = bar.open_ns
    fill.liquidity = MAKER
    fill.final = 1 if sim.limit_lots == 0 else 0
    pay(fill, instrument, costs.maker_fee_bps)
    if sim.limit_lots == 0:
        sim.limit_seq = 0
    return 1


@kernel
def match_open(sims, m, markets, params, bars, i, fills):
    """What trades or ends at the bar's open; the number of fills written."""
    sim, bar = sims[m], bars[i]
    sim.bar_open_ns = bar.open_ns
    sim.phase = PHASE_OPEN_DONE
    instrument, costs = markets[m].instrument, params[0].costs
    if sim.limit_seq > 0 and sim.limit_expires_ns > 0 and bar.open_ns >= sim.limit_expires_ns:
        end_limit(sim, fills[0], bar.open_ns)
        return 1
    if sim.market_seq > 0:
        side, fill = sim.market_side, fills[0]
        fill.intent_seq = sim.market_seq
        fill.purpose = sim.market_purpose
        fill.reason = sim.market_reason
        price = delayed_open(instrument, costs, bar, side)
        execute(fill, instrument, costs, price, side, sim.market_lots, bar)
        sim.market_seq = 0
        return 1
    if sim.stop_seq > 0:
        trigger = sim.stop_ticks * instrument.tick_size
        if (bar.open - trigger) * sim.stop_side >= 0.0:
            fill_stop(sim, instrument, costs, bar.open, bar, fills[0])
            return 1
    return 0


@kernel
def match_range(sims, m, markets, params, bars, i, fills):
    """What trades within the bar's range after its open; the number of fills written (0 or 1)."""
    sim, bar = sims[m], bars[i]
    sim.phase = PHASE_RANGE_DONE
    instrument, costs = markets[m].instrument, params[0].costs
    if sim.stop_seq > 0:
        trigger = sim.stop_ticks * instrument.tick_size
        touched = bar.low <= trigger if sim.stop_side < 0 else bar.high >= trigger
        if touched:
            # The stop may have been placed after an open beyond it: no better than the open.
            met = min(trigger, bar.open) if sim.stop_side < 0 else max(trigger, bar.open)
            fill_stop(sim, instrument, costs, met, bar, fills[0])
            return 1
    if sim.limit_seq > 0:
        return fill_limit(sim, instrument, costs, bar, fills[0])
    return 0
