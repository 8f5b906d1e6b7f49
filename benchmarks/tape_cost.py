"""What the tape costs an engine: CPU of noting and writing its inputs, beside the engine's own.

One engine on paper over invented bars, journal in memory; the tape's share of the replay over a real
journal is smaller, because the journal's part is missing here.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from invented import invent_bars
from live_step import ENGINE, make_state
from machine import describe

from trading.core.config.profiles import PROFILES
from trading.core.jit import CORE_HASH
from trading.engine.messages import BarClosed, PriceTick
from trading.engine.state import layout_hash
from trading.tape.entries import BarTold, TickTold
from trading.tape.recorder import CoreBytes, Owner, TapeLimits, TapeRecorder, deflate
from trading.tape.segments import list_segments

BARS_PER_COMMIT = 500
LIMITS = TapeLimits(most_bytes=1 << 30, days=90)


def measure(bars: int) -> dict[str, float]:
    """Microseconds of CPU per bar: the core's step alone, and the tape's work for it."""
    state = make_state(1)
    owner = Owner(
        engine_id=ENGINE,
        specs=state.specs,
        params=(PROFILES["active"],),
        core_hash=CORE_HASH,
        layout_hash=layout_hash(),
        epoch=lambda: 1,
        now_ns=time.time_ns,
    )
    messages = [BarClosed(0, *row) for row in invent_bars(bars).tolist()]
    began = time.process_time()
    for message in messages:
        state.on_tick(PriceTick(0, message.open_ns, message.open))
        state.on_bar(message, holds=0)
    core = time.process_time() - began
    with tempfile.TemporaryDirectory() as folder:
        tape = TapeRecorder(folder=Path(folder), owner=owner, limits=LIMITS)
        markets, account = state.dump()
        began = time.process_time()
        tape.begin(CoreBytes(deflate(markets), account, (0,)))
        for number, message in enumerate(messages):
            tick = PriceTick(0, message.open_ns, message.open)
            tape.note(TickTold(tape.now_ns(), tick))
            tape.note(BarTold(tape.now_ns(), message, 0))
            if number % BARS_PER_COMMIT == 0:
                tape.flush()
        tape.flush()
        tape.close()
        spent = time.process_time() - began
        size = sum(path.stat().st_size for path in list_segments(Path(folder)))
    return {
        "core_us": core / bars * 1e6,
        "tape_us": spent / bars * 1e6,
        "bytes_per_bar": size / bars,
    }


def medians(runs: list[dict[str, float]]) -> dict[str, Any]:
    """Of each figure."""
    return {name: statistics.median(one[name] for one in runs) for name in runs[0]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    measure(1000)
    told = medians([measure(args.bars) for _ in range(args.repeat)])
    if args.json:
        print(json.dumps({"machine": describe(), "tape": told}, indent=2))
        return
    print(
        f"per bar and tick: the tape {told['tape_us']:.2f} us of CPU and {told['bytes_per_bar']:.0f} "
        f"bytes; the core's own steps {told['core_us']:.2f} us (medians of {args.repeat})"
    )


if __name__ == "__main__":
    main()
