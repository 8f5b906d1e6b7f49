"""Programs of ours as real processes, forked where their modules are loaded already.

A new interpreter needs two seconds of a core to import Django, numba and the compiled core; this one
a fifth. What is proved of a program's own start asks for a new interpreter: subprocess.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import servers

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.preload"])
NOWHERE = Path(os.devnull)


class Program:
    """A process with the manners of subprocess.Popen."""

    def __init__(
        self,
        *arguments: str,
        environment: Mapping[str, str],
        output: Path = NOWHERE,
        errors: Path | None = None,
        own_group: bool = False,
    ) -> None:
        """Start ``manage.py`` or, after ``-m``, a module; errors go where the output goes."""
        self.args = arguments
        self._process = FORKING.Process(
            target=_become, args=(arguments, dict(environment), output, errors or output, own_group)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def answer_of(
    *arguments: str, environment: Mapping[str, str], timeout: float = 60.0
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end; what it said."""
    with TemporaryDirectory() as folder:
        said, complained = Path(folder, "said"), Path(folder, "complained")
        program = Program(*arguments, environment=environment, output=said, errors=complained)
        try:
            code = program.wait(timeout)
        finally:
            program.kill()
        return subprocess.CompletedProcess(
            arguments, code, said.read_text(), complained.read_text()
        )


def _become(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    output: Path,
    errors: Path,
    own_group: bool,
) -> None:
    """In the new process: be the program."""
    if own_group:
        os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one]
    os.chdir(servers.PROJECT_ROOT)
    with output.open("ab") as out, errors.open("ab") as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
    first, *rest = arguments
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        from novapulse import cli

        sys.argv = [*arguments]
        sys.exit(cli.main(sys.argv))
