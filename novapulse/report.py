"""What is running and how it is: the status table, the logs, the wait for health."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import TypedDict

from novapulse import cli, env, processes
from novapulse.places import Places
from novapulse.processes import Identity, PidFile
from novapulse.supervisor import Supervisor, state_file
from novapulse.terminal import complain, say, span, step, table

WELL_SECONDS = 120.0
LONGEST_SECONDS = 900.0  # while the core is compiled: a slow machine takes its time
# A program that ended this often while starting will not come up by waiting.
HOPELESS_RESTARTS = 3
SETTLED_SECONDS = 10.0
SHOWN_LOG_LINES = 40
RUNNING, UNWELL, NOT_RUNNING = 0, 1, 3

Probe = Callable[[], tuple[bool, str]]


class State(TypedDict):
    """What the supervisor published last; host and port are those it serves pages at."""

    phase: str
    detail: str
    restarts: dict[str, int]
    host: str
    port: int


def state_of(places: Places) -> State:
    """The supervisor's last word; an empty phase where there is none."""
    try:
        text = state_file(places).read_text()
    except OSError:
        return {"phase": "", "detail": "", "restarts": {}, "host": "", "port": 0}
    state: State = json.loads(text)
    return state


def page_address(host: str, port: int) -> str:
    """What to open in a browser on this machine."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{near}]' if ':' in near else near}:{port}"


def _probes(settings: env.Env, state: State) -> Mapping[str, Probe]:
    """How to ask each part; loads Django, so only where an answer is wanted.

    The pages are asked where the running installation serves them, whatever this shell names.
    """
    cli.set_up_django()
    logging.getLogger().setLevel(logging.CRITICAL)
    from novapulse import health

    loaded = env.load()
    return {
        "postgres": health.database,
        "redis": lambda: health.loudhailer(loaded.redis_url.get_secret_value()),
        "web": lambda: health.web(state["host"], state["port"]),
        "worker": health.worker,
        "engines": lambda: health.engines(settings.lease_seconds),
    }


def wait_until_well(settings: env.Env, plan: Supervisor) -> int:
    """Wait until everything answers, then say where it is and how to sign in."""
    probes = _probes(settings, state_of(plan.places))
    titles = {"web": "Pages and stream", "worker": "Worker", "engines": "Engine"}
    deadline = time.monotonic() + WELL_SECONDS
    for name, title in titles.items():
        try:
            with step(title):
                _wait_for(name, probes[name], plan.places, deadline)
        except TimeoutError as error:
            log = plan.places.logs / f"{name}.log"
            complain(
                f"{title} is not well: {error}. The end of {log}:\n{processes.last_lines(log)}"
            )
            return UNWELL
    _welcome(settings, plan.places)
    return RUNNING


def _wait_for(name: str, probe: Probe, places: Places, deadline: float) -> None:
    from novapulse import health

    restarts_before = state_of(places)["restarts"].get(name, 0)
    latest = time.monotonic() + LONGEST_SECONDS
    while True:
        well, text = probe()
        if well:
            return
        if name == "engines" and health.engines_get_ready():
            deadline = min(time.monotonic() + WELL_SECONDS, latest)
        restarts = state_of(places)["restarts"].get(name, 0)
        if time.monotonic() > deadline or restarts - restarts_before >= HOPELESS_RESTARTS:
            raise TimeoutError(text)
        time.sleep(0.25)


def _welcome(settings: env.Env, places: Places) -> None:
    state = state_of(places)
    say()
    say(
        f"NovaPulse is running at {settings.public_url or page_address(state['host'], state['port'])}"
    )
    try:
        email, password = (places.run / "demo.txt").read_text().split()
    except (OSError, ValueError):
        return
    say(f"Sign in as {email} with the password {password}")
    say("Stop with ./SuperStart.sh --stop; the demo trades on paper, no money is involved.")


def status(settings: env.Env, plan: Supervisor) -> int:
    """Print each process and its health; 0 running, 1 unwell, 3 not running."""
    places = plan.places
    if PidFile(places.run / "supervisor.pid").read() is None:
        return _without_supervisor(plan)
    state = state_of(places)
    if state["phase"] != "serving":
        say(f"Not serving yet: {state['phase'] or 'starting'} {state['detail']}".rstrip())
        return UNWELL
    well = _print_table(settings, plan, state)
    say()
    say(f"Pages: {settings.public_url or page_address(state['host'], state['port'])}")
    say(f"Data: {places.data}")
    if places.servers_live_elsewhere:
        say(
            f"Servers: {places.servers} (the account {places.account.name} cannot reach the project)"
            if places.account
            else f"Servers: {places.servers}"
        )
    return RUNNING if well else UNWELL


def _without_supervisor(plan: Supervisor) -> int:
    """Nothing runs, or what a killed supervisor left behind goes on by itself."""
    names = ("postgres", "redis", *(program.name for program in plan.programs))
    left = [name for name in names if PidFile(plan.places.run / f"{name}.pid").read()]
    if not left:
        say("Not running.")
        return NOT_RUNNING
    say(
        f"The supervisor is gone; {', '.join(left)} run on without it. ./SuperStart.sh takes it up."
    )
    return UNWELL


def _print_table(settings: env.Env, plan: Supervisor, state: State) -> bool:
    servers = {"postgres": plan.servers.postgres, "redis": plan.servers.redis}
    probes = _probes(settings, state)
    rows = [["PROCESS", "PID", "SINCE", "RESTARTS", "HEALTH"]]
    all_well = True
    for name in ("supervisor", *servers, *(program.name for program in plan.programs)):
        own = servers.get(name, plan) is not None
        identity = PidFile(plan.places.run / f"{name}.pid").read() if own else None
        well, text = probes[name]() if name in probes else _alive(identity, state, name)
        if own and identity is None:
            well, text = False, "not running"
        all_well = all_well and well
        rows.append(
            [
                name,
                str(identity.pid) if identity else ("-" if own else "yours"),
                span(processes.age_seconds(identity)) if identity else "-",
                str(state["restarts"].get(name, 0)),
                text if well else f"UNWELL: {text}",
            ]
        )
    table(rows)
    return all_well


def _alive(identity: Identity | None, state: State, name: str) -> tuple[bool, str]:
    """For a process that answers nobody: it is there, and not because it was just restarted."""
    age = processes.age_seconds(identity) if identity else None
    restarted = state["restarts"].get(name, 0) > 0
    if restarted and age is not None and age < SETTLED_SECONDS:
        return False, f"restarted {span(age)} ago"
    return identity is not None, "alive"


def logs(places: Places, names: list[str]) -> int:
    """Follow the logs, or print their end where nobody is watching."""
    paths = sorted(str(path) for path in places.logs.glob("*.log"))
    if names:
        paths = [path for path in paths if path.rpartition("/")[2].removesuffix(".log") in names]
    if not paths:
        complain(f"No such log in {places.logs}.")
        return NOT_RUNNING
    follow = ["-F"] if sys.stdout.isatty() else []
    try:
        return subprocess.run(
            ["tail", "-n", str(SHOWN_LOG_LINES), *follow, *paths], check=False
        ).returncode
    except KeyboardInterrupt:
        return 0
