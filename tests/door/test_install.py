"""From nothing to .venv: what SuperStart.sh and install.py do on machines that are not ready."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers

NOBODY = 65534
NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DEFAULT_TIMEOUT": "1",
    "UV_OFFLINE": "1",
}
UNKNOWN_PACKAGE = "novapulse-package-that-is-nowhere==1.0\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh copy of the door with a lock that asks for nothing, readable by every user."""
    path = Path(tempfile.mkdtemp(prefix="np door "))
    path.chmod(0o755)
    (path / "novapulse").mkdir()
    (path / "requirements").mkdir()
    shutil.copy(servers.PROJECT_ROOT / "SuperStart.sh", path)
    shutil.copy(servers.PROJECT_ROOT / "novapulse" / "install.py", path / "novapulse")
    for name in ("base", "dev"):
        (path / "requirements" / f"{name}.txt").write_text("")
    yield path
    shutil.rmtree(path)


def _start(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [str(folder / "SuperStart.sh"), *arguments],
        env={**plain, **environment},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _install(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-I", str(folder / "novapulse" / "install.py"), "base"],
        env={**plain, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _fake_pythons(folder: Path, body: str) -> str:
    """A PATH on which every Python is the script ``body``."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("bash", "env", "dirname", "cat"):
        (programs / name).symlink_to(shutil.which(name) or name)
    if body:
        (programs / "python3").write_text(f"#!/bin/sh\n{body}\n")
        (programs / "python3").chmod(0o755)
    return str(programs)


def test_help_explains_every_option(folder):
    answer = _start(folder, "--help")

    assert answer.returncode == 0
    for option in ("--stop", "--status", "--logs", "--rebuild", "--shell", "--test", "--docker"):
        assert option in answer.stdout


@pytest.mark.parametrize("arguments", [["--strat"], ["--stop", "now"]])
def test_an_unknown_option_shows_the_usage(folder, arguments):
    answer = _start(folder, *arguments)

    assert answer.returncode == 2
    assert "Usage:" in answer.stderr


@pytest.mark.parametrize("option", ["--stress", "--stress72"])
def test_what_comes_later_says_so(folder, option):
    answer = _start(folder, option)

    assert answer.returncode == 1
    assert "comes with a later release" in answer.stderr


@pytest.mark.parametrize(("option", "code"), [("--status", 3), ("--stop", 0), ("--logs", 3)])
def test_looking_at_an_empty_folder_installs_nothing(folder, option, code):
    answer = _start(folder, option)

    assert answer.returncode == code
    assert answer.stderr.startswith("Not running")
    assert not (folder / ".venv").exists()


def test_an_old_python_is_told_by_its_version(folder):
    path = _fake_pythons(folder, '[ "$1" = -V ] && echo "Python 3.9.2"; exit 1')

    answer = _start(folder, PATH=path)

    assert answer.returncode == 1
    assert answer.stderr == "NovaPulse needs Python 3.11 or newer; this machine has Python 3.9.2.\n"


def test_a_machine_without_python_is_told_what_to_install(folder):
    answer = _start(folder, PATH=_fake_pythons(folder, ""))

    assert answer.returncode == 1
    assert "apt-get install python3" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(folder):
    folder.chmod(0o555)

    answer = subprocess.run(
        ["/usr/bin/python3", "-I", str(folder / "novapulse" / "install.py"), "base"],
        user=NOBODY if os.getuid() == 0 else None,
        capture_output=True,
        text=True,
        check=False,
    )
    folder.chmod(0o755)

    assert answer.returncode == 1
    assert "cannot be written" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_no_network_is_told_and_the_next_run_takes_it_up(folder):
    lock = folder / "requirements" / "base.txt"
    lock.write_text(UNKNOWN_PACKAGE)

    without = _install(folder, **NO_NETWORK)

    assert without.returncode == 1
    assert "Is the network (or your package index) reachable?" in without.stderr
    assert "Traceback" not in without.stderr

    lock.write_text("")
    again = _install(folder)

    assert again.returncode == 0, again.stderr
    assert "Packages are installed" in again.stdout


def test_a_complete_installation_is_left_alone(folder):
    first = _install(folder)
    before = (folder / ".venv" / "installed-base").stat().st_mtime_ns

    second = _install(folder)

    assert first.returncode == second.returncode == 0
    assert second.stdout == ""
    assert (folder / ".venv" / "installed-base").stat().st_mtime_ns == before


def test_an_environment_whose_python_is_gone_is_made_anew(folder):
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to("/nonexistent/python3")

    answer = _install(folder)

    assert answer.returncode == 0, answer.stderr
    assert (folder / ".venv" / "bin" / "python").exists()
