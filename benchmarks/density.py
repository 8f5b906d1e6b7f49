"""What one more engine of a host costs: memory, start, CPU and lateness, forked from one warm parent.

Real PostgreSQL, Redis, venue simulator and shared feed; the fleet itself is the program that is shipped, and
its own report tells the figures. Prints them; asserts nothing.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import django
import httpx
import redis

from tests import servers

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.conf import settings  # noqa: E402
from machine import describe, in_words  # noqa: E402

from tenants.scoping import tenant_scope  # noqa: E402
from tests import database, factories  # noqa: E402
from tests.factories import EngineRows  # noqa: E402
from trading.models import Decision, Engine  # noqa: E402
from trading.stream.publisher import channel_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")
SAMPLE_SECONDS = 20.0
LOOK_SECONDS = 2.0  # between two looks at fifty workspaces
CLOCK_LOOKS = 200
WARM_BARS = 600  # decided by then: the history was told
PATIENCE_SECONDS = 900.0


@contextmanager
def host(*, is_shared: bool, speed: int) -> Iterator[dict[str, str]]:
    """The environment of processes beside a simulator, and its shared feed."""
    with servers.running(), ExitStack() as ending, tempfile.TemporaryDirectory() as folder:
        name = database.clone(database.ensure_template())
        database.use_database(name)
        ending.callback(database.drop, name)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        environment = {
            **database.child_environment(name),
            "NOVA_ENV": "development",
            "NOVA_DATA_DIR": folder,
            "NOVA_LOG_LEVEL": "WARNING",
            "NOVA_SHARED_FEEDS": "simulator" if is_shared else "",
        }
        command = ("run_simulator", "--port", str(port), "--speed", str(speed), "--pairs", *PAIRS)
        ending.callback(end, start(environment, *command))
        wait_for(lambda: (Path(folder) / "run" / "simulator.json").exists())
        wait_for(lambda: answers(port))
        if is_shared:
            ending.callback(end, start(environment, "run_feed", "--exchange", "simulator"))
        yield {**environment, "SIMULATOR": f"http://127.0.0.1:{port}"}


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start(environment: dict[str, str], *command: str) -> "subprocess.Popen[bytes]":
    """A command of ours."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, and wait."""
    process.terminate()
    process.wait()


def wait_for(is_so: Any) -> None:
    """Look now and then; the benchmark ends when it does not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            sys.exit(f"gave up after {PATIENCE_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)


def make_engines(count: int) -> list[EngineRows]:
    """Workspaces, each with one engine that trades the first of the pairs; none should run yet."""
    instrument = factories.make_instrument("simulator", PAIRS[0])
    made = []
    for number in range(count):
        made.append(factories.make_engine(f"bench-{number}", instrument, venue="simulator"))
        want(made[-1:], desired=Engine.Desired.STOPPED)
    return made


def want(engines: Sequence[EngineRows], *, desired: str = Engine.Desired.RUNNING) -> None:
    """Which should run."""
    for rows in engines:
        with tenant_scope(rows.tenant_id):
            Engine.objects.filter(id=rows.engine_id).update(desired=desired)


def have_decided(engines: Sequence[EngineRows]) -> bool:
    """Whether each has worked through its history."""
    for rows in engines:
        with tenant_scope(rows.tenant_id):
            if Decision.objects.count() < WARM_BARS:
                return False
    return True


def market_began(address: str, speed: int) -> float:
    """The wall's time at the market's zero: the venue tells whole seconds, the turn of one is seen."""
    begun: list[float] = []
    with httpx.Client(base_url=address) as client:
        while len(begun) < CLOCK_LOOKS:
            told = client.get("/0/public/Time").json()["result"]["unixtime"]
            begun.append(time.time() - told / speed)
    return min(begun)


def lateness(environment: dict[str, str], speed: int) -> list[float]:
    """Milliseconds from the close of each bar to its decision, as engines tell them for a while."""
    began = market_began(environment["SIMULATOR"], speed)
    seen: dict[tuple[str, int], float] = {}
    with redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as told:
        told.psubscribe(channel_of("*"))
        until = time.monotonic() + SAMPLE_SECONDS
        while time.monotonic() < until:
            message = told.get_message(ignore_subscribe_messages=True, timeout=1.0)
            value: dict[str, Any] = json.loads(message["data"]) if message else {"key": ""}
            if value["key"].startswith("engine::"):
                data = value["data"]
                close_ms = 1000 * (began + data["market_ms"] / 1000 / speed)
                bar = (data["engine_id"], data["market_ms"])
                seen[bar] = data["bar_wall_ms"] - close_ms
    return sorted(seen.values())


def report(environment: dict[str, str]) -> dict[str, Any]:
    """What `run_fleet --report --json` tells, over ten seconds of its own."""
    command = [sys.executable, "manage.py", "run_fleet", "--report", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def measure(counts: Sequence[int], *, is_shared: bool, speed: int) -> list[dict[str, Any]]:
    """One line for each number of engines."""
    lines = []
    with host(is_shared=is_shared, speed=speed) as environment:
        engines = make_engines(max(counts))
        fleet = start(environment, "run_fleet")
        try:
            for before, count in zip((0, *counts), counts, strict=False):
                began = time.monotonic()
                want(engines[before:count])
                wait_for(lambda: have_decided(engines[before:count]))  # noqa: B023
                seconds = time.monotonic() - began
                late = lateness(environment, speed)
                told = report(environment)
                lines.append(line_of(told, late, seconds=seconds, is_shared=is_shared))
                print(json.dumps(lines[-1]), file=sys.stderr, flush=True)
        finally:
            end(fleet)
    return lines


def line_of(
    told: dict[str, Any], late: list[float], *, seconds: float, is_shared: bool
) -> dict[str, Any]:
    """The figures that matter."""
    memories = [one["memory"] for one in told["engines"]]
    middle = sorted(memories, key=lambda one: one["private_mb"])[len(memories) // 2]
    return {
        "engines": len(memories),
        "is_shared": is_shared,
        "ready_seconds": round(seconds, 1),
        "parent_rss_mb": told["parent"]["memory"]["rss_mb"],
        **{f"median_{name}": value for name, value in middle.items()},
        "most_private_mb": max(one["private_mb"] for one in memories),
        "total_pss_mb": told["total"]["pss_mb"],
        "cpu_percent": told["per_engine"]["cpu_percent"],
        "total_cpu_percent": told["total"]["cpu_percent"],
        "bars": len(late),
        **{f"late_p{at}_ms": round(late[len(late) * at // 100]) for at in (50, 99) if late},
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--own", action="store_true", help="each with its own connection")
    parser.add_argument("--speed", type=int, default=60, help="60: a minute is a second")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended then, too
    machine = {"machine": describe()}
    words = in_words()
    lines = measure(sorted(options.engines), is_shared=not options.own, speed=options.speed)
    if options.json:
        print(json.dumps({**machine, "density": lines}))
        return
    print(words)
    for line in lines:
        print(", ".join(f"{name} {value}" for name, value in line.items()))


if __name__ == "__main__":
    main()
