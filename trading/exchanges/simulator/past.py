"""What the market did while the simulated venue's process was away."""

import numpy as np

from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.market import MINUTE_NS, PairMarket

STEP_NS = 5_000_000_000


def live_through(exchange: Exchange, to_ns: int) -> None:
    """Meet it, from where time stands still on; then time goes on from there.

    Minutes in which no order is reached and nothing is due are skipped.
    """
    clock, began_ns = exchange.clock, exchange.clock.now_ns()
    while (now := clock.now_ns()) < to_ns:
        is_new = now % MINUTE_NS == 0 and now > began_ns
        if is_new and (quiet_ns := _quiet_until(exchange, now, to_ns)) > now:
            clock.jump(quiet_ns)
            for market in exchange.markets.values():
                market.leap(quiet_ns)
        else:
            clock.jump(min((now // STEP_NS + 1) * STEP_NS, to_ns))
        exchange.advance()
    clock.freeze(on=False)


def _quiet_until(exchange: Exchange, now_ns: int, to_ns: int) -> int:
    """The last minute to begin before anything can happen, or the end."""
    accounts = exchange.accounts.values()
    working = [order for account in accounts for order in account.working()]
    if any(order.trail for order in working):  # its trigger moves with every trade
        return now_ns
    due = [account.dead_man_ns for account in accounts] + [order.expires_ns for order in working]
    first_ns = min([to_ns, *(at_ns for at_ns in due if at_ns), *(at[0] for at in exchange.agenda)])
    if first_ns < to_ns:
        first_ns -= first_ns % MINUTE_NS
    for market in exchange.markets.values():
        mine = [order for order in working if (order.book or order.symbol) == market.symbol]
        prices = [price for order in mine for price in (order.price, order.stop) if price]
        first_ns = min(first_ns, _reached_ns(market, [float(p) for p in prices], now_ns, first_ns))
    return first_ns


def _reached_ns(market: PairMarket, prices: list[float], now_ns: int, end_ns: int) -> int:
    """The minute in which the market comes to one of these prices, or the end."""
    last, tick = float(market.last_price()), float(market.grid.tick_size)
    below = max((price for price in prices if price <= last), default=-np.inf)
    above = min((price for price in prices if price > last), default=np.inf)
    if not prices or end_ns <= now_ns:
        return end_ns
    for bars in market.source.iter_bars(start_ns=now_ns, end_ns=end_ns):
        reached = (bars["low"] <= below + tick) | (bars["high"] >= above - tick)
        if reached.any():
            return int(bars["open_ns"][reached.argmax()])
    return end_ns
