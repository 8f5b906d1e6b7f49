"""daphne as the installation runs it, on a port of a test's own."""

import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.processes import ended_afterwards, wait_for
from tests.forking import Program


@contextmanager
def served(
    environment: Mapping[str, str],
    *,
    log: Path,
    application: str = "novapulse.web:application",
    options: Sequence[str] = (),
) -> Iterator[str]:
    """Pages, API and sockets, answering at the address that is told."""
    port = free_port()
    command = ("-m", "daphne", "-b", "127.0.0.1", "-p", str(port), *options)
    daphne = Program(*command, application, environment=environment, output=log)
    address = f"http://127.0.0.1:{port}"
    with ended_afterwards(daphne):
        wait_for(lambda: answers(address, daphne), f"daphne to answer, see {log}")
        yield address


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def answers(address: str, process: "Program | subprocess.Popen[bytes]") -> bool:
    """Whether the pages answer; an ended process fails at once."""
    assert process.poll() is None, "daphne ended"
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
