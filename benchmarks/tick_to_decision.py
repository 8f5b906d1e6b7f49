"""From a frame sent on a loopback WebSocket to the decision: decoded, bar closed, whole stack decided.

A process of its own plays Kraken's candles, each frame opening the next minute and so closing the last;
the engine's feed hears them under uvloop and its core decides. Both share the machine. Microseconds
from before the sending to after the decision; the engine's journal is not part. Asserts nothing.
"""

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import uvloop
from invented import invent_bars
from live_step import WARM_UP, make_state
from machine import describe, percentile
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from trading.core.records import BAR
from trading.engine.messages import BarClosed
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.rest import KrakenRest

SYMBOL, MINUTE_NS = "BTC/USD", 60_000_000_000
PAUSE_SECONDS = 0.002  # between frames: each is decided before the next
SHARES = (0.5, 0.99)
Hear = Callable[[int, int], Coroutine[Any, Any, list[int]]]


class LoopbackFeed(KrakenFeed):
    """Kraken's feed where REST has nothing to tell."""

    async def _open(self) -> None:
        return

    async def _time_ns(self) -> int:
        return self.clock.now_ns()

    async def _committed(self, market: int, *, since_ns: int, now_ns: int) -> np.ndarray:
        return np.zeros(0, BAR)


def frame(row: tuple[Any, ...]) -> dict[str, Any]:
    """One candle as the venue tells it, when its minute begins."""
    open_ns, *values = row
    began = datetime.fromtimestamp(open_ns // 10**9, UTC).isoformat().removesuffix("+00:00") + "Z"
    names = ("open", "high", "low", "close", "volume")
    told = {"symbol": SYMBOL, **dict(zip(names, values, strict=True)), "interval": 1}
    data = [{**told, "interval_begin": began, "trades": 1, "vwap": values[3]}]
    return {"channel": "ohlc", "type": "update", "timestamp": began, "data": data}


async def play(bars: int) -> None:
    """The venue: tells its port, then a frame each pause, and when each was sent."""
    texts = [json.dumps(frame(row)) for row in invent_bars(WARM_UP + bars + 1).tolist()]
    done = asyncio.Event()

    async def tell(socket: ServerConnection) -> None:
        asked = json.loads(await socket.recv())
        await socket.send(json.dumps({"method": "subscribe", "success": True, **asked}))
        await asyncio.sleep(0.5)
        gc.disable()
        sent = []
        for text in texts:
            sent.append(time.monotonic_ns())
            await socket.send(text)
            await asyncio.sleep(PAUSE_SECONDS)
        print(json.dumps(sent), flush=True)
        await socket.wait_closed()
        done.set()

    async with serve(tell, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await done.wait()


async def decide(port: int, bars: int) -> list[int]:
    """The engine: when each of the bars was decided on."""
    make_state(1).on_bar(BarClosed(0, *invent_bars(1).tolist()[0]), holds=0)  # compiled from now on
    state, decided = make_state(1), []
    rest = KrakenRest(url="http://127.0.0.1:1")
    feed = LoopbackFeed(
        rest=rest, ws_url=f"ws://127.0.0.1:{port}", symbols=[SYMBOL], timeframe_ns=MINUTE_NS
    )
    gc.disable()
    after: Mapping[int, int] = {0: int(invent_bars(1)["open_ns"][0]) - MINUTE_NS}
    async for told in feed.news(after_ns=after):
        if not isinstance(told, BarClosed):
            continue
        state.on_bar(told, holds=0)
        decided.append(time.monotonic_ns())
        if len(decided) == WARM_UP + bars:
            break
    gc.enable()
    await feed.close()
    return decided


async def receive(port: int, bars: int) -> list[int]:
    """The socket alone: when each frame after the first had come."""
    came = []
    gc.disable()
    async with connect(f"ws://127.0.0.1:{port}", compression=None) as socket:
        await socket.send(json.dumps({"method": "subscribe"}))
        await socket.recv()
        for _ in range(WARM_UP + bars + 1):
            await socket.recv()
            came.append(time.monotonic_ns())
    gc.enable()
    return came[1:]


def measure(hear: Hear, bars: int) -> list[float]:
    """Microseconds of one run: p50 and p99.

    Raises:
        SystemExit: the venue told nothing.
    """
    command = [sys.executable, __file__, "--play", "--bars", str(bars)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as venue:
        if venue.stdout is None:
            raise SystemExit("the venue is not heard")
        heard = uvloop.run(hear(int(venue.stdout.readline()), bars))
        sent = json.loads(venue.stdout.readline())
    closing = sent[1:]  # a bar is closed by the frame after its own
    times = [(at - began) / 1000 for began, at in zip(closing, heard, strict=True)][WARM_UP:]
    return [percentile(times, share) for share in SHARES]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, default=3000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--play", action="store_true", help="be the venue")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.play:
        uvloop.run(play(args.bars))
        return
    runs = [[*measure(decide, args.bars), *measure(receive, args.bars)] for _ in range(args.repeat)]
    names = ("p50", "p99", "socket_p50", "socket_p99")
    found = dict(zip(names, map(statistics.median, zip(*runs, strict=True)), strict=True))
    machine = describe()
    if args.json:
        print(json.dumps({"machine": machine, "tick_to_decision": found}, indent=2))
        return
    print(
        f"frame sent to decision: p50 {found['p50']:.0f} us, p99 {found['p99']:.0f} us; the socket "
        f"alone p50 {found['socket_p50']:.0f} us, p99 {found['socket_p99']:.0f} us "
        f"(medians of {args.repeat} runs; load {machine['load']})"
    )


if __name__ == "__main__":
    main()
