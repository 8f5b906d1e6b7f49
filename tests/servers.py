"""PostgreSQL and Redis of the tests: private, under var/test, shared by runs that overlap."""

import fcntl
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from novapulse import embedded

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = PROJECT_ROOT / "var" / "test"
REDIS_DATABASES_BESIDE_ZERO = 15
VAULT_KEK = b64encode(bytes(range(32))).decode()
# Nothing here outlives the machine, so waiting for the disk would only be slow.
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

SERVERS = embedded.plan(data_dir=DATA_DIR, postgres_settings=UNSAFE_BUT_FAST)


def environment() -> dict[str, str]:
    """What makes NovaPulse use these servers; starts nothing."""
    values = SERVERS.write_environment()
    assert SERVERS.redis is not None
    number = 1 + _run_number() % REDIS_DATABASES_BESIDE_ZERO
    return {
        **values,
        "NOVA_ENV": "test",
        "NOVA_DATA_DIR": str(DATA_DIR),
        "NOVA_VAULT_KEK": VAULT_KEK,
        "NOVA_DATABASE_APP_URL": "",
        "NOVA_DATABASE_STAFF_URL": "",
        "REDIS_URL": SERVERS.redis.url(database=number),
    }


def _run_number() -> int:
    """Different for the workers of one run, and most likely for runs that overlap."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return os.getppid() + int(worker.removeprefix("gw")) if worker else os.getpid()


@contextmanager
def running() -> Iterator[None]:
    """Keep the servers up; the last run that uses them stops them."""
    SERVERS.places.make()
    with _lock("users.lock") as users:
        with _lock("start.lock") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            SERVERS.start()
        try:
            yield
        finally:
            with _lock("start.lock") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                fcntl.flock(users, fcntl.LOCK_UN)
                if _is_last(users):
                    SERVERS.stop()


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One run at a time does what is inside."""
    with _lock(name) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _lock(name: str) -> Iterator[int]:
    descriptor = os.open(SERVERS.places.run / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_last(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
