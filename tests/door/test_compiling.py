"""The core is compiled once, before the other packages have come, and by one process at a time."""

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import numba
import pytest

from novapulse import install
from tests import servers
from trading.core.jit import compiled_mark
from trading.wiring import compiling

NOTHING_ELSE = f"""
import sys
known = {{*sys.stdlib_module_names, "trading", *{install.COMPILER}}}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in known:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
import {install.COMPILING} as compiling
print(sorted(compiling.PARTS))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory in which nothing was compiled."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def test_compiling_needs_no_package_but_those_that_come_first():
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_ELSE],
        cwd=servers.PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "['backtest', 'deciding', 'doors', 'observing']\n"


@pytest.mark.parametrize("wanted", install.LOCKED_SETS)
def test_the_compilers_packages_are_taken_from_the_lock(wanted):
    lock = servers.PROJECT_ROOT / "requirements" / f"{wanted}.txt"

    pins = install.pins_of(lock, install.COMPILER)

    assert [pin.partition("==")[0] for pin in pins] == list(install.COMPILER)
    assert all(f"{pin}\n" in lock.read_text() for pin in pins)


def test_who_comes_second_waits_and_compiles_nothing(cache):
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        second = threading.Thread(target=compiling.compile_apart)
        second.start()
        second.join(0.1)
        waited = second.is_alive()
        compiled_mark("doors").touch()
    second.join()

    assert waited
    assert {path.name for path in cache.iterdir()} == {"lock", compiled_mark("doors").name}


def test_what_one_half_compiled_joins_the_other_function_by_function(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, functions in ((ours, {"a": 1}), (theirs, {"a": 2, "b": 2})):
        (folder / "core").mkdir(parents=True)
        for name, versions in functions.items():
            (folder / "core" / f"{name}.nbi").write_text(folder.name)
            for number in range(versions):
                (folder / "core" / f"{name}.{number}.nbc").write_text(folder.name)

    compiling.take_over(theirs, ours)

    found = {path.name: path.read_text() for path in (ours / "core").iterdir()}
    assert found == {
        **dict.fromkeys(("a.nbi", "a.0.nbc"), "ours"),
        **dict.fromkeys(("b.nbi", "b.0.nbc", "b.1.nbc"), "theirs"),
    }
