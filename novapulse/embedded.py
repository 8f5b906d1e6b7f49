"""Private PostgreSQL and Redis from wheels under var/, when no URL is given."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from novapulse import places as places_of
from novapulse.places import Places
from novapulse.postgres_server import PostgresServer
from novapulse.redis_server import RedisServer

NOTE = "# Written by SuperStart.sh at each start; the process environment and .env win over it.\n"


@dataclass(frozen=True)
class Embedded:
    """The servers one installation runs for itself; either may be absent because an address is given."""

    places: Places
    postgres: PostgresServer | None
    redis: RedisServer | None

    def environment(self) -> dict[str, str]:
        """Addresses and the secret key; known before any server runs, stable from start to start."""
        values = {"NOVA_SECRET_KEY": self._secret_key()}
        if self.postgres:
            self.places.make_for_server("pg")
            values["DATABASE_URL"] = self.postgres.url()
        if self.redis:
            values["REDIS_URL"] = self.redis.url()
        return values

    def write_environment(self) -> dict[str, str]:
        """Leave the addresses where every ``manage.py`` command of this installation finds them."""
        self.places.make()
        values = self.environment()
        text = NOTE + "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
        temporary = self.places.embedded_env.with_suffix(
            f".{os.getpid()}"
        )  # others may write it now
        temporary.touch(mode=0o600)
        temporary.write_text(text)
        temporary.replace(self.places.embedded_env)
        return values

    def _secret_key(self) -> str:
        """Made once; sessions and derived passwords hang on it."""
        known = read_environment(self.places.embedded_env).get("NOVA_SECRET_KEY")
        return known or secrets.token_urlsafe(64)

    def start(self) -> None:
        """Start what is not running and wait until it answers; safe to repeat."""
        self.places.make()
        for server in (self.postgres, self.redis):
            if server is None:
                continue
            server.prepare()
            process = None if server.running() else server.spawn()
            server.wait_until_ready(process)
        if self.postgres:
            self.postgres.ensure_owner()

    def stop(self) -> None:
        """Redis first, PostgreSQL last: whoever still writes may finish."""
        if self.redis:
            self.redis.stop()
        if self.postgres:
            self.postgres.stop()


def plan(
    *,
    data_dir: Path,
    database_url: str = "",
    redis_url: str = "",
    postgres_settings: Mapping[str, str] | None = None,
) -> Embedded:
    """Which servers this installation runs itself: each one whose address is not given."""
    where = places_of.settle(data_dir=data_dir)
    return Embedded(
        places=where,
        postgres=None if database_url else PostgresServer(where, postgres_settings or {}),
        redis=None if redis_url else RedisServer(where),
    )


def read_environment(path: Path) -> dict[str, str]:
    """Name and value pairs of a file written by :meth:`Embedded.write_environment`."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: value for name, value in pairs}
