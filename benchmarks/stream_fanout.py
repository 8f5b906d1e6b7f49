"""One web process, many live pages: delivery, delay and CPU of the fan-out over real sockets.

Real PostgreSQL and Redis, daphne or the uvicorn of ``requirements/bench``; every client signs in by a session cookie,
confirms what it read as the page does, and is checked for access every ten seconds as the page is. The clients share the
machine with the server, so the server's CPU time per delivered text says more than the delay.
Prints figures; asserts nothing about time.
"""

import argparse
import asyncio
import gc
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import django
import environments

from tests import servers

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

import msgspec  # noqa: E402 - after django.setup
from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402
from websockets.asyncio.client import ClientConnection, connect  # noqa: E402
from websockets.exceptions import InvalidMessage  # noqa: E402

from tenants.models import Membership, User  # noqa: E402
from tenants.roles import Role  # noqa: E402
from tenants.scoping import tenant_scope  # noqa: E402
from tests import database, factories  # noqa: E402
from trading.stream.access import MOST_SOCKETS  # noqa: E402
from trading.stream.payloads import CONFIRM_EVERY  # noqa: E402
from trading.stream.publisher import RedisPublisher  # noqa: E402

SERVERS = {
    "daphne": "-m daphne -b 127.0.0.1 --access-log /dev/null -p",
    "uvicorn": "-m uvicorn --host 127.0.0.1 --log-level warning --ws websockets-sansio --port",
}
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Heard:
    """What all clients received."""

    delays: list[float] = field(default_factory=list)
    per_client: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    measuring: bool = False
    turned_away: int = 0  # handshakes that got no answer in time


@contextmanager
def site(clients: int, *, server: str) -> Iterator[tuple[str, list[str], str, int]]:
    """Address, a cookie for each client, tenant and process id of a server over a database of its own."""
    with servers.running():
        name = database.clone(database.ensure_template())
        database.use_database(name)
        people = [
            factories.make_user(f"person{number}@example.com")
            for number in range(ceil(clients / MOST_SOCKETS))
        ]
        tenant = factories.make_tenant("bench", owner=people[0])
        with tenant_scope(tenant.id):
            for person in people[1:]:
                Membership.objects.create(
                    tenant=tenant, user=person, role=Role.VIEWER, created_at=factories.NOW
                )
        cookies = [sign_in(people[number // MOST_SOCKETS]) for number in range(clients)]
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        web = subprocess.Popen(
            [sys.executable, *SERVERS[server].split(), str(port), "novapulse.web:application"],
            env={
                **database.child_environment(name),
                "NOVA_LOG_LEVEL": "WARNING",
                "PYTHONPATH": os.pathsep.join(map(str, packages_of(server))),
            },
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_health(port)
            yield f"127.0.0.1:{port}", cookies, str(tenant.id), web.pid
        finally:
            web.terminate()
            web.wait()
            database.drop(name)


def packages_of(server: str) -> list[Path]:
    """Where the server's own packages are; daphne is among the project's."""
    if server == "daphne":
        return []
    python = environments.python_of(server)
    return list(python.parent.parent.glob("lib/python*/site-packages"))


def sign_in(user: User) -> str:
    """The cookie of a session of its own."""
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"


def wait_for_health(port: int) -> None:
    """Until the pages answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not answer within a minute")


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_mib(pid: int) -> float:
    """Memory of a process."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def enter(url: str, headers: dict[str, str], heard: Heard) -> ClientConnection:
    """Open a socket; a server too busy to answer the handshake is asked again, as a page asks."""
    while True:
        try:
            return await connect(
                url, additional_headers=headers, compression=None, open_timeout=120
            )
        except (InvalidMessage, OSError):
            heard.turned_away += 1
            await asyncio.sleep(1)


async def listen(address: str, cookie: str, number: int, heard: Heard) -> None:
    """One page: read, note the delay, confirm."""
    decode = msgspec.json.Decoder().decode
    headers = {"Cookie": cookie, "Origin": f"http://{address}"}
    async with await enter(f"ws://{address}/ws/live", headers, heard) as pages:
        read = 0
        async for text in pages:
            now, read = time.time(), read + 1
            if read % CONFIRM_EVERY == 0:
                await pages.send(f'{{"read": {read}}}')
            data = decode(text)[-1]["data"]
            heard.last[number] = data["number"]
            if heard.measuring:
                heard.delays.append(now - data["sent"])
                heard.per_client[number] += 1


async def publish(tenant_id: str, rate: int, seconds: float) -> int:
    """Send a bar's worth of values ``rate`` times a second; the last number."""
    publisher = RedisPublisher(url=settings.REDIS_URL, tenant_id=tenant_id)
    ends, number = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        number += 1
        value = {"sent": time.time(), "number": number, "words": "x" * 200}
        publisher.publish("bar:0", value)
        await publisher.flush()
        await asyncio.sleep(1 / rate - (time.monotonic() % (1 / rate)))
    await publisher.close()
    return number


async def measure(
    arguments: argparse.Namespace, address: str, cookies: list[str], tenant_id: str, pid: int
) -> None:
    """Connect everybody, publish, print."""
    heard = Heard(per_client=[0] * arguments.clients, last=[0] * arguments.clients)
    pages = []
    for number in range(arguments.clients):
        pages.append(asyncio.create_task(listen(address, cookies[number], number, heard)))
        await asyncio.sleep(0.005)
    gc.collect()
    gc.freeze()  # a collection in the clients is no delay of the server's
    while 0 in heard.last:
        for page in pages:
            if page.done():
                page.result()
                raise SystemExit("a page's socket was closed before the measurement")
        await publish(tenant_id, arguments.rate, 1)
    heard.measuring, began, cpu = True, time.monotonic(), cpu_seconds(pid)
    own = time.process_time()
    sent = await publish(tenant_id, arguments.rate, arguments.seconds)
    elapsed, cpu = time.monotonic() - began, cpu_seconds(pid) - cpu
    own = time.process_time() - own
    await asyncio.sleep(1)
    report(arguments, heard, sent=sent, elapsed=elapsed, cpu=cpu, own=own)
    print(f"server memory     {resident_mib(pid):8.0f} MiB resident")
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)


def report(
    arguments: argparse.Namespace,
    heard: Heard,
    *,
    sent: int,
    elapsed: float,
    cpu: float,
    own: float,
) -> None:
    """The figures."""
    delivered, delays = len(heard.delays), sorted(heard.delays)
    p50, p99 = (1000 * delays[int(len(delays) * share)] for share in (0.5, 0.99))
    current = sum(last == sent for last in heard.last)
    print(f"{arguments.clients} clients, {sent / elapsed:.1f} values/s for {elapsed:.0f} s")
    print(f"handshakes again  {heard.turned_away:8,}")
    print(f"delivered         {delivered / (sent * arguments.clients):8.1%} of {sent:,} each")
    print(f"least of a client {min(heard.per_client):8,} values")
    print(f"have the last     {current:8,} clients")
    print(f"delay             {p50:8.1f} ms p50  {p99:.1f} ms p99  {1000 * delays[-1]:.1f} ms most")
    print(f"mean delay        {1000 * statistics.fmean(delays):8.1f} ms")
    print(
        f"server            {cpu / elapsed:8.1%} of a core, {1e6 * cpu / delivered:.0f} µs a text"
    )
    print(f"clients           {own / elapsed:8.1%} of a core, on the same machine")


def main() -> None:
    """Read the sizes and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--rate", type=int, default=10, help="values a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--server", choices=sorted(SERVERS), default="daphne")
    arguments = parser.parse_args()
    with site(arguments.clients, server=arguments.server) as (address, cookies, tenant_id, pid):
        asyncio.run(measure(arguments, address, cookies, tenant_id, pid))


if __name__ == "__main__":
    main()
