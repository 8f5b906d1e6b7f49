"""The simulated venue of one day, in a process of its own, and the door through which it is ruled."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import httpx
import numpy as np

from trading.chaos.days import Trouble
from trading.chaos.kills import fork
from trading.chaos.wires import SYMBOL, Wire
from trading.exchanges.replay import ArrayBars
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.server import Simulator

GRID = Grid(Decimal("0.1"), Decimal("0.0001"), Decimal("0.0001"), Decimal("0.5"))
FUNDS = {"USD": Decimal(10_000), "BTC": Decimal(3)}  # the three coins are the customer's own


def new_simulator(
    bars: np.ndarray, *, wire: Wire, funds: Mapping[str, Decimal] = FUNDS
) -> Simulator:
    """A venue whose time stands at the beginning of these bars."""
    began_ns = int(bars["open_ns"][0]) + 1_000_000_000  # after the first trade
    simulator = Simulator(start_ns=began_ns)
    simulator.clock.jump(began_ns)
    simulator.list_pair(SYMBOL, source=ArrayBars(bars), grid=GRID)
    wire.open_account(simulator, funds)
    return simulator


@dataclass(slots=True)
class VenueProcess:
    """A simulator in a forked process; ``address`` is where it listens."""

    pid: int
    address: str

    @classmethod
    def start(cls, bars: np.ndarray, *, wire: Wire, has_foreign_order: bool) -> "VenueProcess":
        """Fork it and wait until it listens."""
        reader, writer = os.pipe()

        def main() -> int:
            os.close(reader)
            asyncio.run(_serve(bars, writer, wire, has_foreign_order=has_foreign_order))
            return 0

        pid = fork(main)
        os.close(writer)
        with os.fdopen(reader) as told:
            return cls(pid, told.readline().strip())

    def ask(self, act: str, **given: Any) -> Any:
        """One order through the door, or, without any, the log."""
        with httpx.Client(timeout=10) as client:
            url = f"{self.address}/simulator/{act}"
            answer = client.post(url, json=given) if given else client.get(url)
            return answer.raise_for_status().json()

    def oracle(self) -> list[dict[str, Any]]:
        """Everything that happened."""
        told: list[dict[str, Any]] = self.ask("oracle")["oracle"]
        return told

    def stop(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


async def _serve(bars: np.ndarray, writer: int, wire: Wire, *, has_foreign_order: bool) -> None:
    simulator = new_simulator(bars, wire=wire)
    if has_foreign_order:
        wire.place_foreign(simulator)
    await simulator.start()
    with os.fdopen(writer, "w") as told:
        told.write(f"{simulator.address}\n")
    await asyncio.Event().wait()


class Door:
    """The same door from within an engine's loop; asked a thousand times a day."""

    def __init__(self, address: str, troubles: tuple[Trouble, ...]) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        self._client = aiohttp.ClientSession(f"{address}/simulator/", timeout=timeout)
        self._troubles = troubles

    async def advance(self, to_ns: int) -> float:
        """Move the venue's time; the last price there."""
        told = await self._ask("advance", to_ns=to_ns)
        return float(told[SYMBOL])

    async def before_bar(self, number: int) -> None:
        """Arm what is due."""
        due = [one for one in self._troubles if number % one.every == 0]
        if due:
            await self.heal()  # what has met nothing since does not pile up
        for trouble in due:
            if trouble.kind == "sockets":
                await self._ask("sockets")
                continue
            await self._ask(
                "fault",
                kind=trouble.kind,
                where=trouble.where,
                words=trouble.words,
                seconds=trouble.seconds,
            )

    async def heal(self) -> None:
        """Nothing more goes wrong."""
        await self._ask("heal")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, act: str, **given: Any) -> Any:
        async with self._client.post(act, json=given, raise_for_status=True) as answer:
            return await answer.json()
