"""Where things live: closed directories, short sockets, nobody's folder opened for the servers."""

import os
import stat
from pathlib import Path

import pytest

from novapulse import embedded, places
from novapulse.embedded import Embedded
from novapulse.places import Places, UnusablePlace
from novapulse.postgres_server import PostgresServer
from novapulse.redis_server import RedisServer

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root hands servers to nobody")


@pytest.fixture
def own(tmp_path) -> Places:
    """Places of somebody who is not root."""
    return Places(data=tmp_path / "var", servers=tmp_path / "var", account=None)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_closed_to_others(own):
    own.make()
    own.make_for_server("pg")

    assert [_mode(path) for path in (own.data, own.run, own.logs, own.servers / "pg")] == [
        0o700
    ] * 4


def test_a_directory_that_was_opened_is_closed_again(own):
    own.make()
    own.run.chmod(0o755)

    own.make()

    assert _mode(own.run) == 0o700


def test_a_short_path_keeps_the_socket_beside_the_data():
    where = Places(data=Path("/srv/np/var"), servers=Path("/srv/np/var"), account=None)

    assert where.socket_directory("pg") == Path("/srv/np/var/pg/socket")


def test_a_long_path_moves_the_socket_to_a_private_directory(tmp_path):
    long = tmp_path / ("deep" * 30)
    where = Places(data=long, servers=long, account=None)

    directory = where.make_socket_directory("pg")

    assert len(str(directory)) < 80
    assert _mode(directory) == 0o700
    directory.rmdir()


def test_a_socket_directory_that_a_stranger_could_enter_is_refused(tmp_path):
    long = tmp_path / ("deep" * 30)
    where = Places(data=long, servers=long, account=None)
    target = tmp_path / "elsewhere"
    target.mkdir()
    where.socket_directory("pg").symlink_to(target)

    with pytest.raises(UnusablePlace, match="not a private directory"):
        where.make_socket_directory("pg")

    where.socket_directory("pg").unlink()


@ROOT_ONLY
def test_root_leaves_closed_folders_closed_and_moves_the_servers(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    where = places.settle(data_dir=closed / "project" / "var")

    assert where.servers.parent == places.SHARED_SERVER_ROOT
    assert _mode(closed) == 0o700


@ROOT_ONLY
def test_root_keeps_the_servers_beside_the_data_where_nobody_can_walk_there():
    where = places.settle(data_dir=Path("/srv/np/var"))

    assert where.servers == Path("/srv/np/var")
    assert where.account is not None
    assert where.account.name == "nobody"


def test_addresses_stay_the_same_from_start_to_start(own):
    def addresses() -> dict[str, str]:
        servers = Embedded(places=own, postgres=PostgresServer(own), redis=RedisServer(own))
        return servers.write_environment()

    assert addresses() == addresses()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({}, {"DATABASE_URL", "REDIS_URL", "NOVA_SECRET_KEY"}),
        ({"database_url": "given"}, {"REDIS_URL", "NOVA_SECRET_KEY"}),
        ({"redis_url": "given"}, {"DATABASE_URL", "NOVA_SECRET_KEY"}),
    ],
)
def test_a_given_address_replaces_one_server(given, written):
    base = Path(__file__).resolve().parents[2] / "var" / "test" / "plan"

    servers = embedded.plan(data_dir=base, **given)

    assert set(servers.write_environment()) == written
    assert stat.S_IMODE(servers.places.embedded_env.stat().st_mode) == 0o600


@ROOT_ONLY
def test_data_of_another_user_is_not_taken_over(own):
    own.data.mkdir()
    os.chown(own.data, 65534, 65534)

    with pytest.raises(UnusablePlace, match=r"belongs to another user \(nobody\)"):
        own.make()
