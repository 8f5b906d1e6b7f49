"""Shared fixtures: real servers on demand, a database per test, child processes that find it.

``db`` (or ``@pytest.mark.django_db``): all aliases share one transaction, rolled back at the end.
``fresh_database``: a database of the test's own with real commits, for threads and processes.
``redis_url``: an empty Redis.
"""

import gc
from collections.abc import Iterator
from itertools import chain, groupby, zip_longest
from pathlib import Path

import pytest
import redis as redis_client
import structlog

from tests import budget, database, servers
from tests.database import FreshDatabase

budget.load()
HERE = Path(__file__).parent
# A worker takes whole files, so the longest go first: none ends when all others have nothing to do.
LONGEST_FIRST = (
    "faults/test_wire.py",
    "browser/test_every_page.py",
    "door/test_life.py",
    "faults/test_books_of_engines.py",
    "apps/api/test_access.py",
    "apps/api/test_fuzz.py",
    "faults/",
    "exchanges/test_planted_bugs.py",
    "exchanges/test_kill_points.py",
    "exchanges/test_live_venue.py",
    "exchanges/",
    "browser/",
    "apps/",
)
GARBAGE = 20_000  # objects, before the youngest are looked through
# For markets, leases and processes, while other files need the cores.
MOSTLY_WAITING = ("faults/", "exchanges/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, one that waits beside one that works; each keeps its own order."""

    def rank(item: pytest.Item) -> int:
        found = (at for at, start in enumerate(LONGEST_FIRST) if place(item).startswith(start))
        return next(found, len(LONGEST_FIRST))

    files = [list(group) for _, group in groupby(sorted(items, key=rank), key=place)]
    waiting = [file for file in files if place(file[0]).startswith(MOSTLY_WAITING)]
    working = [file for file in files if not place(file[0]).startswith(MOSTLY_WAITING)]
    in_pairs = chain.from_iterable(zip_longest(waiting, working, fillvalue=[]))
    items[:] = chain.from_iterable(in_pairs)


def pytest_collection_finish() -> None:
    """Thousands of tests and all they import stay: looking for garbage there takes a fifteenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


def place(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).as_posix()


@pytest.fixture(scope="session")
def embedded_servers() -> Iterator[None]:
    """PostgreSQL and Redis of the tests, running."""
    with servers.running():
        yield


@pytest.fixture(scope="session")
def template_database(embedded_servers: None, django_db_blocker) -> str:
    """The name of a migrated database to clone from."""
    with django_db_blocker.unblock():
        return database.ensure_template()


@pytest.fixture(scope="session")
def session_database(template_database: str, django_db_blocker) -> Iterator[str]:
    """The database whose transactions ``db`` rolls back."""
    with django_db_blocker.unblock():
        name = database.clone(template_database)
        database.use_database(name)
        yield name
        database.use_database(name)
        database.drop(name)


@pytest.fixture(scope="session")
def django_db_setup(session_database: str, django_test_environment: None) -> None:
    """pytest-django's hook for making databases; ours are clones."""


@pytest.fixture
def _django_db_helper(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker, redis_url: str
) -> Iterator[None]:
    """What ``db`` and the ``django_db`` mark stand for."""
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        pytest.fail("use the fresh_database fixture: the app role may not truncate tables")
    with django_db_blocker.unblock(), database.one_transaction():
        yield


@pytest.fixture
def fresh_database(
    session_database: str, template_database: str, django_db_blocker, redis_url: str
) -> Iterator[FreshDatabase]:
    """A database of this test alone, every alias connected under its own role."""
    with django_db_blocker.unblock():
        name = database.clone(template_database)
        database.use_database(name)
        yield FreshDatabase(name=name, environment=database.child_environment(name))
        database.use_database(session_database)
        database.drop(name)


@pytest.fixture
def redis_url(embedded_servers: None, settings) -> str:
    """The address of this run's Redis database, emptied."""
    with redis_client.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    return settings.REDIS_URL


@pytest.fixture(autouse=True)
def _no_names_in_logs() -> Iterator[None]:
    """What a command binds to the log lines of its process ends with the test that called it."""
    yield
    structlog.contextvars.clear_contextvars()
