"""Equity, exposure and booked fills: how account and position move together."""

from trading.core.codes import Purpose
from trading.core.jit import kernel
from trading.core.records import FEE_UNITS_PER_QUOTE

P_ENTRY = int(Purpose.ENTRY)
NS_PER_DAY = 86_400_000_000_000


@kernel
def mark(market, account, open_ns):
    """Value the position at the last close, and move day and peak."""
    instrument = market.instrument
    value = market.position.quantity_lots * instrument.lot_size * market.last_close
    account.marked += value - market.marked
    market.marked = value
    reserve(market, account, abs(value))
    account.equity = account.cash + account.marked
    account.peak_equity = max(account.peak_equity, account.equity)
    day = open_ns // NS_PER_DAY
    if day != account.day:
        account.day = day
        account.day_start_equity = account.equity
        account.entries_today = 0


@kernel
def reserve(market, account, notional):
    """This market's share of the exposure; a working entry keeps what it asked for."""
    if market.position.entry_seq > 0:
        notional = max(notional, market.reserved)
    account.exposure += notional - market.reserved
    market.reserved = notional


@kernel
def book(market, account, fill):
    """Cash, fees and quantity of an execution; what it realised, fee included."""
    position, instrument = market.position, market.instrument
    quantity = fill.quantity_lots * instrument.lot_size
    price = fill.price_ticks * instrument.tick_size
    fee = fill.fee_units / FEE_UNITS_PER_QUOTE
    account.cash -= fill.side * quantity * price + fee
    account.fees += fee
    held = position.quantity_lots
    realized = -fee
    if fill.purpose == P_ENTRY:
        total = abs(held) + fill.quantity_lots
        position.entry_price = (
            position.entry_price * abs(held) + price * fill.quantity_lots
        ) / total
        position.entry_fees += fee
    else:
        realized += -fill.side * (price - position.entry_price) * quantity
    position.quantity_lots += fill.side * fill.quantity_lots
    position.realized += realized
    account.realized += realized


@kernel
def release(market, account):
    """The market holds nothing any more."""
    account.marked -= market.marked
    market.marked = 0.0
    account.exposure -= market.reserved
    market.reserved = 0.0
    if account.open_positions == 0:  # nothing is held: no rounding residue may stay either
        account.marked = 0.0
        account.exposure = 0.0
    account.equity = account.cash + account.marked
