"""The venue simulator as a process of its own, which tests ask, kill and start again."""

import json
import os
import signal
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.faults.processes import wait_for
from tests.forking import Program

SPEED = "60"  # a minute of the market is a second


class Venue:
    """The simulator as a process; it remembers what it was killed with."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.environment, self.port = environment, port
        self.process = self._start()

    def _start(self, *more: str) -> Program:
        command = ("manage.py", "run_simulator", "--port", str(self.port), "--speed", SPEED)
        process = Program(*command, "--pairs", "BTC/USD", *more, environment=self.environment)
        wait_for(self.answers, "the simulator answers")
        return process

    def answers(self) -> bool:
        with suppress(OSError):
            return "oracle" in self.ask("/simulator/oracle")
        return False

    def ask(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read())

    def key(self, wire: str = "simulator") -> dict[str, str]:
        """What the simulator's customer signs with."""
        told = json.loads(
            Path(self.environment["NOVA_DATA_DIR"], "run", "simulator.json").read_text()
        )
        told = told if wire == "simulator" else told["coinbase"]
        return {"key": told["key"], "secret": told["secret"]}

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self, *more: str) -> None:
        self.process = self._start(*more)
