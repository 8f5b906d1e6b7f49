"""CPU of the hot pages and API reads of one process, beside its barest view; and whole answers of daphne.

Requests go through every middleware of the installation; rows are made by hand in a real PostgreSQL.
CPU is this process's, without a server and without a network: the database's own work is not in it.
With --server they go to daphne on loopback, as one person's browser sends them, and the time is that of
the whole answer. The addresses take turns, so each ratio is of one moment. Asserts nothing about time.
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import django
from machine import describe, in_words

from tests import servers

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.conf import settings  # noqa: E402 - after django.setup
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from tenants.models import User  # noqa: E402
from tests import database, factories  # noqa: E402
from tests.apps.trading import rows  # noqa: E402
from tests.pages import served  # noqa: E402

BARE = "/health"
READS = (
    "/",
    "/status/",
    "/decisions/",
    "/history/",
    "/api/v1/status",
    "/api/v1/positions",
    "/api/v1/fills",
    "/api/v1/decisions",
)
DECISIONS, FILLS = 200, 60


@contextmanager
def member() -> Iterator[User]:
    """A member of a workspace with an engine, decisions, fills and a position, in a database of their own."""
    with servers.running():
        name = database.clone(database.ensure_template())
        database.use_database(name)
        olga = factories.make_user("olga@example.com")
        acme = factories.make_tenant("acme", owner=olga)
        instrument = factories.make_instrument("simulator", "BTC/USD")
        engine = factories.make_engine("acme", instrument, tenant=acme)
        for minute in range(DECISIONS):
            rows.write_decision(engine, at=factories.NOW - timedelta(minutes=minute))
        for number in range(1, FILLS + 1):
            rows.write_fill(engine, number=number, side="BUY" if number % 2 else "SELL")
        rows.write_position(engine)
        try:
            yield olga
        finally:
            connection.close()
            database.drop(name)


def get(client: Client, address: str) -> None:
    """One request.

    Raises:
        SystemExit: it was not answered with 200.
    """
    cache.clear()  # nobody is throttled
    answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}: {answer.content[:200]!r}")


def measure(client: Client, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of CPU at the median, times the bare view's, and queries, of each address."""
    taken: dict[str, list[float]] = {address: [] for address in (BARE, *READS)}
    queries = {}
    for address in taken:
        get(client, address)
        with CaptureQueriesContext(connection) as captured:
            get(client, address)
        queries[address] = len(captured)
    for _ in range(rounds):
        for address, times in taken.items():
            began = time.thread_time()
            get(client, address)
            times.append((time.thread_time() - began) * 1000)
    bare = statistics.median(taken[BARE])
    return {
        address: {
            "ms": statistics.median(times),
            "times_bare": statistics.median(times) / bare,
            "queries": queries[address],
        }
        for address, times in taken.items()
    }


def measure_server(client: Client, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of daphne's whole answer to each address, at the median and the 90th percentile."""
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].OutputString(attrs=[])
    environment = database.child_environment(connection.settings_dict["NAME"])
    taken: dict[str, list[float]] = {address: [] for address in (BARE, *READS)}
    with (
        tempfile.TemporaryDirectory() as place,
        served(environment, log=Path(place) / "daphne.log") as address,
    ):
        browser = HTTPConnection(urlsplit(address).netloc)
        for number in range(rounds + 1):
            for page, times in taken.items():
                cache.clear()  # nobody is throttled
                began = time.perf_counter()
                browser.request("GET", page, headers={"Cookie": cookie})
                answer = browser.getresponse()
                answer.read()
                times += [(time.perf_counter() - began) * 1000] if number else []
                if answer.status != 200:
                    raise SystemExit(f"{page} answered {answer.status}")
    return {
        page: {"p50": statistics.median(times), "p90": statistics.quantiles(times, n=10)[8]}
        for page, times in taken.items()
    }


def profile(client: Client, address: str, rounds: int) -> None:
    """Where one address spends its time."""
    get(client, address)
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(rounds):
        get(client, address)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--profile", metavar="ADDRESS", help="tell where this one spends its time")
    parser.add_argument("--server", action="store_true", help="time the whole answers of daphne")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with member() as olga:
        client = Client(headers={"host": "localhost"})
        client.force_login(olga)
        if args.profile:
            profile(client, args.profile, args.rounds)
            return
        measured = measure_server if args.server else measure
        words, found = in_words(), measured(client, args.rounds)
    if args.json:
        print(json.dumps({"machine": describe(), "pages": found}, indent=2))
        return
    print(f"{words}; {args.rounds} requests of each, in turns")
    for address, one in found.items():
        if args.server:
            print(f"{address:22} p50 {one['p50']:6.1f} ms, p90 {one['p90']:6.1f} ms")
            continue
        print(
            f"{address:22} {one['ms']:6.1f} ms of CPU, {one['times_bare']:5.1f} x the bare view, "
            f"{one['queries']:.0f} queries"
        )


if __name__ == "__main__":
    main()
