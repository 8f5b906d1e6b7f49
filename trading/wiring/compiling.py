"""Compiles the core into its cache: two halves side by side, then what joins them, then the backtest.

Needs numpy and numba only, so an installation begins it while other packages are still coming:
``python -m trading.wiring.compiling``. What a compiler needs, half a gigabyte, goes back with it.
"""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trading.backtest import runner
from trading.core import rehearsal
from trading.core.jit import PROJECT_ROOT, cache_directory, compiled_mark

MODULE = "trading.wiring.compiling"
PARTS = {
    "observing": rehearsal.rehearse_observing,
    "deciding": rehearsal.rehearse_deciding,
    "doors": rehearsal.rehearse,
    "backtest": runner.warm,
}


def is_compiled() -> bool:
    """Whether an engine may begin at once."""
    return compiled_mark("doors").exists()


def compile_apart() -> None:
    """Have the doors in the cache when this returns; another process's compilation is waited for.

    A part that fails leaves its work to whoever calls the doors first, which then says why.
    """
    if is_compiled():
        return
    with only_one():
        _compile_doors()


def compile_all() -> None:
    """The doors, then the backtest's loop, which nobody who starts an engine waits for."""
    compile_apart()
    if not compiled_mark("backtest").exists():
        with only_one():
            _compile("backtest")


@contextmanager
def only_one() -> Iterator[None]:
    """One compilation at a time: numba may mix up what two write for the same function."""
    cache_directory().mkdir(parents=True, exist_ok=True)
    with (cache_directory() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _compile_doors() -> None:
    if is_compiled():
        return
    second = cache_directory() / "second"
    halves = [_begin("observing", cache_directory()), _begin("deciding", second)]
    for half in halves:
        half.wait()
    take_over(second, cache_directory())
    _compile("doors")


def _compile(part: str) -> None:
    if not compiled_mark(part).exists() and _begin(part, cache_directory()).wait() == 0:
        compiled_mark(part).touch()


def _begin(part: str, cache: Path) -> subprocess.Popen[bytes]:
    patience = ("nice", "-n", "19") if part == "backtest" else ()  # engines start meanwhile
    return subprocess.Popen(
        ["env", f"NUMBA_CACHE_DIR={cache}", *patience, sys.executable, "-m", MODULE, part],
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
    )


def take_over(source: Path, target: Path) -> None:
    """Move each function's compiled code that ``target`` does not have; one it has is left alone.

    An index names its code by number, so a function's files move together, the index last.
    """
    for index in sorted(source.glob("*/*.nbi")):
        folder = target / index.parent.name
        folder.mkdir(exist_ok=True)
        if (folder / index.name).exists():
            continue
        for code in index.parent.glob(f"{index.stem}.*.nbc"):
            code.replace(folder / code.name)
        index.replace(folder / index.name)


def main(arguments: list[str]) -> None:
    """All of it, or one part in this process."""
    if arguments:
        PARTS[arguments[0]]()
    else:
        compile_all()


if __name__ == "__main__":
    main(sys.argv[1:])
