"""What the market did while the simulated venue's process was away."""

from trading.exchanges.simulator.exchange import Exchange

STEP_NS = 5_000_000_000


def live_through(exchange: Exchange, to_ns: int) -> None:
    """Meet it, from where time stands still on; then time goes on from there."""
    while (now := exchange.clock.now_ns()) < to_ns:
        if not exchange.waits():
            for market in exchange.markets.values():
                market.leap(to_ns)
            now = to_ns
        exchange.clock.jump(min(now + STEP_NS, to_ns))
        exchange.advance()
    exchange.clock.freeze(on=False)
