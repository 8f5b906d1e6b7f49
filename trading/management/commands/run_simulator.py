"""Run the venue simulator: a Kraken and a Coinbase of one's own on loopback."""

import asyncio
import signal
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading.exchanges.replay import InvalidSpeed, parse_speed
from trading.exchanges.simulator.journal import ANEW, CannotRemember, Journal
from trading.exchanges.simulator.keeper import Keeper
from trading.exchanges.simulator.memory import recall
from trading.exchanges.simulator.past import live_through
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.synthetic import START_NS
from trading.management import numbers, simulated_markets
from trading.management.bars import EXIT_CONFIGURATION, EXIT_ERROR
from trading.management.simulated_markets import Markets
from trading.wiring.simulator_state import (
    memory_folder,
    read_state,
    state_file,
    write_state,
)

NS = 1_000_000_000


class Command(BaseCommand):
    """In the foreground until it is told to stop; its clock goes on where the last run's would be."""

    help = "Run the venue simulator (Kraken's and Coinbase's REST and WebSocket protocols) on loopback."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, how fast, which pairs, whose bars."""
        parser.add_argument(
            "--port", type=numbers.port, help="default: NOVA_SIMULATOR_PORT, or a free one"
        )
        parser.add_argument("--speed", default="1", help="market seconds per second; default 1")
        simulated_markets.add_arguments(parser)
        parser.add_argument("--from", dest="start", type=numbers.moment, metavar="EPOCH_S",
                            help="where the market's time begins")  # fmt: skip
        parser.add_argument("--forget", action="store_true",
                            help="begin anew: no account, order or trade of former runs")  # fmt: skip
        parser.add_argument("--no-memory", dest="memory", action="store_false",
                            help="neither read nor write what outlives a run")  # fmt: skip

    def handle(self, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT."""
        try:
            speed = parse_speed(options["speed"])
        except InvalidSpeed as error:
            raise CommandError(f"--speed: {error}", returncode=EXIT_CONFIGURATION) from None
        if speed == float("inf") or speed > 3600:
            raise CommandError("--speed: at most 3600", returncode=EXIT_CONFIGURATION)
        port, markets = options["port"], Markets.chosen(options)
        try:
            with open_journal(markets) if options["memory"] else nullcontext() as journal:
                simulator, state = open_simulator(journal, markets, speed=speed, options=options)
                ports = [port] if port else [state.get("port", 0), settings.SIMULATOR_PORT, 0]
                asyncio.run(serve(simulator, ports=ports, state=state, tell=self.stdout.write))
        except CannotRemember as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        except OSError as error:
            words = f"--port {port}: {error.strerror or error}"
            raise CommandError(words, returncode=EXIT_ERROR) from None


def open_simulator(
    journal: Journal | None, markets: Markets, *, speed: float, options: Mapping[str, Any]
) -> tuple[Simulator, dict[str, Any]]:
    """The venue as the last run left it, if it is to know of that, and the state of its clock.

    Raises:
        CannotRemember: the memory does not fit, or cannot be written.
    """
    changes = journal.read() if journal is not None and not options["forget"] else []
    stood_ns = changes[-1].at_ns if changes else 0
    start_s = options["start"]
    if start_s is None and markets.begin_ns and not changes:
        start_s = markets.begin_ns // NS
    state = remembered(speed=speed, start_s=start_s, stood_ns=stood_ns)
    simulator = Simulator(start_ns=now_ns(state), speed=speed)
    if changes:
        simulator.clock.jump(changes[-1].seen_ns)
    markets.open(simulator)
    exchange, coinbase = simulator.exchange, simulator.coinbase
    if changes:
        recall(changes, exchange=exchange, coinbase=coinbase)
        live_through(exchange, max(now_ns(state), stood_ns))
    if state["key"] not in exchange.accounts:
        simulator.add_account(key=state["key"], secret=state["secret"], balances=markets.funds)
    if state["coinbase"]["key"] not in exchange.accounts:
        coinbase.add_account(**state["coinbase"], balances=markets.funds)
    if journal is not None:
        Keeper(journal, exchange=exchange, coinbase=coinbase).begin()
    return simulator, state


@contextmanager
def open_journal(markets: Markets) -> Iterator[Journal]:
    """The memory of a venue over these markets, until its end.

    Raises:
        CannotRemember: it is another run's, or its folder cannot be written.
    """
    with closing(Journal(memory_folder(), market=markets.name, pairs=markets.pairs)) as journal:
        yield journal


async def serve(
    simulator: Simulator, *, ports: Sequence[int], state: dict[str, Any], tell: Any
) -> None:
    """Listen on the first port that is free, and tell which; until told to stop.

    Raises:
        OSError: none is. CannotRemember: what happened could not be written down.
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
    told_to = asyncio.create_task(done.wait())
    ends: set[asyncio.Future[Any]] = {told_to, simulator.life}
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    told_to.cancel()
    await simulator.stop()
    if not done.is_set() and (error := simulator.life.exception()):
        raise error


def remembered(*, speed: float, start_s: int | None, stood_ns: int = 0) -> dict[str, Any]:
    """The clock of the last run with this speed, or a new one; never before ``stood_ns``.

    Raises:
        CannotRemember: it is to begin before that.
    """
    state = read_state()
    if start_s is not None:
        begin = start_s * NS
        if begin < stood_ns:
            words = f"--from {start_s}: its orders have seen {stood_ns // NS}; {ANEW}"
            raise CannotRemember(words)
    elif state.get("speed") == speed and now_ns(state) >= stood_ns:
        return state
    elif stood_ns:
        begin = max(now_ns(state) if "speed" in state else 0, stood_ns)
    else:
        begin = time.time_ns() if speed == 1 else START_NS
    state |= {"speed": speed, "start_ns": begin, "began_ns": time.time_ns()}
    write_state(state)
    return state


def now_ns(state: dict[str, Any]) -> int:
    """Where the market's time is now."""
    elapsed: int = time.time_ns() - state["began_ns"]
    return int(state["start_ns"] + elapsed * state["speed"])
