"""What one closed bar costs a running engine's core: ``CoreState.on_bar``, for one pair and for many.

Per call, and for a burst in which every pair's bar closes at once. Message and decision included,
sockets, ledger and database not.
"""

import argparse
import gc
import json
import time
from decimal import Decimal
from itertools import pairwise
from typing import Any

from invented import invent_bars
from machine import describe, percentile

from trading.core.config.profiles import PROFILES
from trading.engine.messages import BarClosed, MarketSpec
from trading.engine.state import CoreState

ENGINE = "00000000-0000-4000-8000-000000000001"
WARM_UP = 600  # bars before the first measured one


def make_state(pairs: int) -> CoreState:
    """An engine's core with this many markets."""
    specs = [
        MarketSpec(
            index=number,
            bot_id=f"bot-{number}",
            revision_id=f"revision-{number}",
            instrument_id=number + 1,
            venue="replay",
            symbol=f"C{number}/USDT",
            base=f"C{number}",
            quote="USDT",
            tick_size=Decimal("0.1"),
            lot_size=Decimal("1e-8"),
            min_quantity=Decimal("0.0001"),
            min_notional=Decimal(5),
            timeframe_ns=60_000_000_000,
        )
        for number in range(pairs)
    ]
    state = CoreState(engine_id=ENGINE, specs=specs, params=[PROFILES["active"]] * pairs)
    state.fund(1e6)
    return state


def measure(pairs: int, bars: int) -> dict[str, Any]:
    """Microseconds per call and per burst of all pairs."""
    state = make_state(pairs)
    rows = invent_bars(WARM_UP + bars).tolist()
    calls, bursts = [], []
    gc.disable()
    for number, row in enumerate(rows):
        messages = [BarClosed(market, *row) for market in range(pairs)]
        times = [time.perf_counter_ns()]
        for message in messages:
            state.on_bar(message, holds=0)
            times.append(time.perf_counter_ns())
        if number >= WARM_UP:
            calls += [(after - before) / 1000 for before, after in pairwise(times)]
            bursts.append((times[-1] - times[0]) / 1000)
    gc.enable()
    return {
        "pairs": pairs,
        "bars": bars,
        **{f"call_{name}_us": percentile(calls, share) for name, share in SHARES},
        **{f"burst_{name}_us": percentile(bursts, share) for name, share in SHARES},
    }


SHARES = (("p50", 0.5), ("p99", 0.99))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 500])
    parser.add_argument("--calls", type=int, default=100_000, help="calls measured in all, about")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    lines = [measure(pairs, max(50, args.calls // pairs)) for pairs in args.pairs]
    if args.json:
        print(json.dumps({"machine": describe(), "live_step": lines}, indent=2))
        return
    for one in lines:
        print(
            f"{one['pairs']} pairs: call p50 {one['call_p50_us']:.2f} us, p99 "
            f"{one['call_p99_us']:.2f} us; all pairs at once p50 {one['burst_p50_us']:,.0f} us, "
            f"p99 {one['burst_p99_us']:,.0f} us"
        )


if __name__ == "__main__":
    main()
