"""Where an installation keeps what it writes, and under which account its servers run."""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT_BYTES = 107
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432.lock"
LEAST_FREE_BYTES = 1_000_000
SHARED_SERVER_ROOT = Path("/var/lib/novapulse")


class UnusablePlace(Exception):
    """A directory the installation needs cannot be made or is not safe; the text says which."""


@dataclass(frozen=True)
class Account:
    """The unprivileged account that servers run under when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Places:
    """The directories of one installation."""

    data: Path
    servers: Path
    account: Account | None

    @property
    def run(self) -> Path:
        """Pid files, locks and the generated environment; readable by us alone."""
        return self.data / "run"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def embedded_env(self) -> Path:
        return self.run / "embedded.env"

    @property
    def servers_live_elsewhere(self) -> bool:
        return self.servers != self.data

    def make(self) -> None:
        """Create the directories that do not exist yet.

        As root the data directory lets others pass through (0711) so that the server account
        reaches its own directory inside; everything below it stays closed.

        Raises:
            UnusablePlace: the folder cannot be written.
        """
        closed = 0o711 if self.account else 0o700
        try:
            self._refuse_foreign_data()
            if self.servers_live_elsewhere:
                make_directory(self.servers.parent, 0o711)
                make_directory(self.servers, 0o711)
            make_directory(self.data, closed)
            make_directory(self.run, 0o700)
            make_directory(self.logs, 0o700)
        except OSError as error:
            raise UnusablePlace(
                f"{error.filename or self.data} cannot be written ({error.strerror}). "
                "Use a folder you own, or name a writable one in NOVA_DATA_DIR."
            ) from error

    def without_room(self) -> str:
        """One sentence where a disk of ours is full, empty where none is."""
        full = [one for one in (self.servers, self.data) if _free_bytes(one) < LEAST_FREE_BYTES]
        return (
            f"The disk under {full[0]} is full; free some space, then start again." if full else ""
        )

    def _refuse_foreign_data(self) -> None:
        """Two users would take each other's files away; the one who began goes on."""
        if self.data.exists() and self.data.stat().st_uid != os.getuid():
            owner = self.data.stat().st_uid
            raise UnusablePlace(
                f"{self.data} belongs to another user ({_user_name(owner)}); run as that user, "
                "or name another folder in NOVA_DATA_DIR."
            )

    def make_for_server(self, name: str) -> Path:
        """A directory that belongs to the server account alone."""
        path = self.servers / name
        make_directory(path, 0o700, self.account)
        return path

    def socket_directory(self, name: str) -> Path:
        """Where the server ``name`` puts its socket; a short path where ours is too long."""
        wanted = self.servers / name / "socket"
        if len(os.fsencode(str(wanted) + LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES:
            return wanted
        digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"novapulse-{os.getuid()}-{digest}"

    def make_socket_directory(self, name: str) -> Path:
        """Create the socket directory.

        Raises:
            UnusablePlace: somebody else made a directory of this name before us.
        """
        path = self.socket_directory(name)
        try:
            make_directory(path, 0o700, self.account)
        except PermissionError as error:
            raise UnusablePlace(f"{path} belongs to another user; remove it") from error
        found = path.lstat()
        expected = self.account.uid if self.account else os.getuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != expected or found.st_mode & 0o077:
            raise UnusablePlace(f"{path} is not a private directory of ours; remove it")
        return path


def settle(*, data_dir: Path) -> Places:
    """Decide where things live: beside the data, or elsewhere if the server account cannot reach it.

    PostgreSQL refuses to run as root, so root hands its servers to ``nobody``. Nobody may not be
    able to walk to a project under /root; permissions of the folders above are never changed, the
    servers' own directory moves instead.
    """
    data = Path(os.path.abspath(data_dir))
    if os.getuid() != 0:
        return Places(data=data, servers=data, account=None)
    entry = pwd.getpwnam("nobody")
    account = Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
    if all(_may_pass(parent) for parent in data.parents):
        return Places(data=data, servers=data, account=account)
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return Places(data=data, servers=SHARED_SERVER_ROOT / digest, account=account)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free if folder.exists() else LEAST_FREE_BYTES


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _may_pass(directory: Path) -> bool:
    return not directory.exists() or bool(directory.stat().st_mode & stat.S_IXOTH)


def make_directory(path: Path, mode: int, account: Account | None = None) -> None:
    """Create ``path`` with exactly this mode and owner; an existing directory of ours is corrected."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    if path.is_symlink():
        return
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)
    if account and path.stat().st_uid != account.uid:
        os.chown(path, account.uid, account.gid)
