"""What SuperStart.sh does: start, stop, rebuild; `novapulse.report` shows."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from novapulse import databases, env, processes, report, supervisor
from novapulse.places import UnusablePlace
from novapulse.processes import Identity, PidFile
from novapulse.supervisor import Supervisor
from novapulse.terminal import complain, say, step

SERVERS_SECONDS = 90.0
STOP_SECONDS = 120.0

OK, FAILED, CONFIGURATION = 0, 1, 4


class CannotStart(Exception):
    """Something outside stands in the way; the text is for the person at the terminal."""


@dataclass(frozen=True)
class Installation:
    """The configured installation and the plan of its processes."""

    settings: env.Env
    plan: Supervisor

    def supervisor(self) -> Identity | None:
        return PidFile(self.plan.places.run / "supervisor.pid").read()

    def phase(self) -> str:
        """How far the living supervisor is; empty without one."""
        return report.state_of(self.plan.places)["phase"] if self.supervisor() else ""


def find_installation() -> Installation:
    """Read the configuration; writes nothing.

    Raises:
        InvalidEnvironment: a variable does not hold.
    """
    settings = env.load_configured()
    databases.refuse_bad_addresses(settings)
    return Installation(settings=settings, plan=supervisor.plan(settings))


def start(found: Installation, *, rebuild: bool = False) -> int:
    """Set up what is missing, start what does not run, wait until it is well, say where it is."""
    found.plan.places.make()
    with _our_turn(found):
        if found.phase() == "serving":
            _refuse_other_address(found)
            say("NovaPulse is already running.")
            return report.wait_until_well(found.settings, found.plan)
        _start_supervisor(found)
        try:
            _prepare(rebuild=rebuild)
        except CannotStart:
            _stop_supervisor(found)
            raise
        supervisor.go_ahead_file(found.plan.places).touch()
        return report.wait_until_well(found.settings, found.plan)


@contextmanager
def _our_turn(found: Installation) -> Iterator[None]:
    """One start or stop at a time in this folder; a second waits."""
    path = found.plan.places.run / "door.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start or stop is under way in this folder; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _refuse_other_address(found: Installation) -> None:
    """A shell that names no address has none against the one in force."""
    state = report.state_of(found.plan.places)
    named = found.settings.model_fields_set
    host = found.settings.host if "host" in named else state["host"]
    port = found.settings.port if "port" in named else state["port"]
    if (host, port) != (state["host"], state["port"]):
        raise CannotStart(
            f"NovaPulse is already running at {report.page_address(state['host'], state['port'])}; "
            f"./SuperStart.sh --stop first to have it at {report.page_address(host, port)}."
        )


def _start_supervisor(found: Installation) -> None:
    """Servers up, by a supervisor that outlives us; one that a killed start left behind is used."""
    places = found.plan.places
    if found.supervisor() is None:
        if supervisor.stop_everything(found.plan.programs, found.plan.servers):
            say("Ended what an interrupted run had left behind.")
        _refuse_taken_port(found.settings)
        found.plan.servers.write_environment()
        supervisor.state_file(places).unlink(missing_ok=True)
        process = processes.spawn(
            [sys.executable, "-m", "novapulse.supervisor"],
            log=places.logs / "supervisor.log",
            environment=env.for_child({"PYTHONUNBUFFERED": "1"}),
            directory=env.PROJECT_ROOT,
        )
        PidFile(places.run / "supervisor.pid").write(process.pid)
    with step("PostgreSQL and Redis"):
        _wait_for_servers(found)


def _wait_for_servers(found: Installation) -> None:
    deadline = time.monotonic() + SERVERS_SECONDS
    while time.monotonic() < deadline:
        state = report.state_of(found.plan.places)
        if state["phase"] in ("servers-ready", "serving"):
            return
        if state["phase"] == "failed":
            raise CannotStart(state["detail"])
        if found.supervisor() is None:
            said = processes.last_lines(found.plan.places.logs / "supervisor.log")
            ended = f"The supervisor ended at once:\n{said}"
            raise CannotStart(found.plan.places.without_room() or ended)
        time.sleep(0.05)
    raise CannotStart(f"The servers did not start within {SERVERS_SECONDS:.0f} s; see var/logs.")


def _refuse_taken_port(settings: env.Env) -> None:
    """Tell now what daphne would only tell its log."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except PermissionError as error:
            raise CannotStart(
                f"Port {settings.port} is reserved for root; choose one above 1023 with NOVA_PORT."
            ) from error
        except OSError as error:
            if error.errno == 98:
                raise CannotStart(
                    f"Port {settings.port} on {settings.host} is taken by another program. Choose "
                    f"another one: NOVA_PORT={settings.port + 1} ./SuperStart.sh"
                ) from error
            raise CannotStart(
                f"NOVA_HOST: {settings.host!r} is no address of this machine ({error.strerror})."
            ) from error


def _prepare(*, rebuild: bool) -> None:
    command = [sys.executable, "-m", "novapulse.first_run", *(["--static"] if rebuild else [])]
    done = subprocess.run(
        command, cwd=env.PROJECT_ROOT, env=env.for_child({}), stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise CannotStart("The database could not be prepared (above); nothing trades yet.")


def stop(found: Installation) -> int:
    """Ask the supervisor to stop everything and wait; then end what no supervisor owns any more."""
    if not found.plan.places.run.exists():
        say("Not running.")
        return OK
    with _our_turn(found):
        if found.supervisor():
            say("Stopping; engines first, PostgreSQL last.")
        was_running = _stop_supervisor(found)
        left = supervisor.stop_everything(found.plan.programs, found.plan.servers)
        say("Stopped." if was_running or left else "Not running.")
        return OK


def _stop_supervisor(found: Installation) -> bool:
    identity = found.supervisor()
    if identity is None:
        return False
    processes.ask_to_end(identity, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while identity.is_alive and time.monotonic() < deadline:
        time.sleep(0.1)
    if identity.is_alive:
        processes.kill_session(identity.pid)
    return True


def rebuild(found: Installation) -> int:
    """Start where it served, static files made anew; SuperStart.sh has remade .venv before."""
    say("The Python environment is new; the data in var/ is kept.")
    state, named = report.state_of(found.plan.places), found.settings.model_fields_set
    if state["host"] and "host" not in named:
        env.name_for_all("NOVA_HOST", state["host"])
    if state["port"] and "port" not in named:
        env.name_for_all("NOVA_PORT", str(state["port"]))
    return start(find_installation(), rebuild=True)


def main(arguments: list[str]) -> int:
    """``python -m novapulse.door start|stop|rebuild|status|logs``."""
    verb, *rest = arguments
    os.umask(0o077)
    try:
        found = find_installation()
        if verb == "status":
            return report.status(found.settings, found.plan)
        if verb == "logs":
            return report.logs(found.plan.places, rest)
        return {"start": start, "stop": stop, "rebuild": rebuild}[verb](found)
    except (env.InvalidEnvironment, UnusablePlace) as error:
        complain(f"configuration: {error}")
        return CONFIGURATION
    except CannotStart as error:
        complain(str(error))
        return FAILED
    except PermissionError as error:
        complain(
            f"{error.filename} belongs to another user; run as the user who started NovaPulse first."
        )
        return FAILED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        complain(found.plan.places.without_room() or str(error))
        return FAILED
    except KeyboardInterrupt:
        complain("Interrupted. What runs goes on; ./SuperStart.sh takes it up, --stop ends it.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
