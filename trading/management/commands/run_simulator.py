"""Run the venue simulator: a Kraken and a Coinbase of one's own on loopback."""

import asyncio
import signal
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading.exchanges.replay import BarSource, InvalidSpeed, parse_speed
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.synthetic import CATALOGUE, START_NS, SyntheticBars
from trading.management.bars import EXIT_CONFIGURATION, EXIT_ERROR, symbol
from trading.marketdata.series import choose_bars
from trading.marketdata.store import StoreError
from trading.queries.bars import SYNTHETIC_SEED, open_store
from trading.wiring.simulator_state import read_state, state_file, write_state

LOT, LEAST_QUANTITY, LEAST_COST = Decimal("0.00000001"), Decimal("0.0001"), Decimal("0.5")
FUNDS = {"USD": Decimal(100_000), "BTC": Decimal(1)}
PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")


class Command(BaseCommand):
    """In the foreground until it is told to stop; its clock goes on where the last run's would be."""

    help = "Run the venue simulator (Kraken's and Coinbase's REST and WebSocket protocols) on loopback."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, how fast, which pairs, whose bars."""
        parser.add_argument("--port", type=int, help="default: NOVA_SIMULATOR_PORT, or a free one")
        parser.add_argument("--speed", default="1", help="market seconds per second; default 1")
        parser.add_argument("--pairs", nargs="+", type=symbol, default=list(PAIRS))
        parser.add_argument(
            "--bars",
            metavar="EXCHANGE",
            help="play stored bars of this exchange, not invented ones",
        )
        parser.add_argument("--from", dest="start", type=int, metavar="EPOCH_S",
                            help="where the market's time begins")  # fmt: skip

    def handle(self, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT."""
        try:
            speed = parse_speed(options["speed"])
        except InvalidSpeed as error:
            raise CommandError(f"--speed: {error}", returncode=EXIT_CONFIGURATION) from None
        if speed == float("inf") or speed > 3600:
            raise CommandError("--speed: at most 3600", returncode=EXIT_CONFIGURATION)
        state = remembered(speed=speed, start_s=options["start"])
        simulator = Simulator(start_ns=now_ns(state), speed=speed)
        for pair in options["pairs"]:
            simulator.list_pair(pair, source=source_of(pair, options["bars"]), grid=grid_of(pair))
        simulator.add_account(key=state["key"], secret=state["secret"], balances=FUNDS)
        simulator.coinbase.add_account(**state["coinbase"], balances=FUNDS)
        port = options["port"]
        ports = [port] if port else [state.get("port", 0), settings.SIMULATOR_PORT, 0]
        try:
            asyncio.run(serve(simulator, ports=ports, state=state, tell=self.stdout.write))
        except OSError as error:
            words = f"--port {port}: {error.strerror or error}"
            raise CommandError(words, returncode=EXIT_ERROR) from None


async def serve(
    simulator: Simulator, *, ports: Sequence[int], state: dict[str, Any], tell: Any
) -> None:
    """Listen on the first port that is free, and tell which; until told to stop.

    Raises:
        OSError: none is.
    """
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    for port in ports[:-1]:
        with suppress(OSError):
            await simulator.start(port=port)
            break
    else:
        await simulator.start(port=ports[-1])
    write_state(state | {"port": simulator.port})
    tell(f"Kraken simulator: REST {simulator.address}, WebSocket ws://127.0.0.1:{simulator.port}/v2"
         f" and /v2/auth; key and secret in {state_file()}\n"
         f"Coinbase simulator: REST {simulator.address}/api/v3/brokerage,"
         f" WebSocket ws://127.0.0.1:{simulator.port}/coinbase/ws and /coinbase/ws/user;"
         " its key and secret stand there too")  # fmt: skip
    await done.wait()
    await simulator.stop()


def remembered(*, speed: float, start_s: int | None) -> dict[str, Any]:
    """The state of the last run with this speed, or a new one."""
    state = read_state()
    if start_s is not None or state.get("speed") != speed:
        begin = time.time_ns() if speed == 1 else START_NS
        state |= {
            "speed": speed,
            "start_ns": begin if start_s is None else start_s * 1_000_000_000,
            "began_ns": time.time_ns(),
        }
        write_state(state)
    return state


def now_ns(state: dict[str, Any]) -> int:
    """Where the market's time is now."""
    elapsed: int = time.time_ns() - state["began_ns"]
    return int(state["start_ns"] + elapsed * state["speed"])


def source_of(pair: str, exchange: str | None) -> BarSource:
    """Invented bars, or stored ones.

    Raises:
        CommandError: nothing fitting is stored.
    """
    if exchange is None:
        return SyntheticBars(SYNTHETIC_SEED, pair)
    try:
        return choose_bars(open_store(), venue=exchange, symbol=pair, timeframe_seconds=60)
    except StoreError as error:
        raise CommandError(f"--bars: {error}", returncode=EXIT_CONFIGURATION) from None


def grid_of(pair: str) -> Grid:
    """Ticks like the venue's."""
    decimals = CATALOGUE.get(pair.split("/")[0], (0.0, 2, 0.0))[1]
    return Grid(Decimal(1).scaleb(-decimals), LOT, LEAST_QUANTITY, LEAST_COST)
