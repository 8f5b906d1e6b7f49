"""Engines from the terminal: how they stand, why, and what a person may order."""

import json
import sys
import time
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.scoping import tenant_scope
from trading import operations
from trading.management import numbers
from trading.models import EngineCommand
from trading.queries import dashboard
from trading.wiring.directory import EngineNotListed, ListedEngine, find_engine

EXIT_NOT_FOUND, EXIT_CONFIGURATION, EXIT_TIMEOUT = 2, 4, 5
ORDERS: dict[str, Callable[..., EngineCommand]] = {
    "pause": operations.pause_engine,
    "resume": operations.resume_engine,
    "close_all": operations.close_all,
    "kill": operations.kill_engine,
    "revive": operations.revive_engine,
    "reconcile": operations.reconcile_engine,
}
LOOK_SECONDS = 0.1
NOT_ASKED = "not asked"


class Command(BaseCommand):
    """``start`` and ``stop`` are wishes a fleet fulfils; the others are done by the engine itself."""

    help = "Show or command one engine: status, explain, pause, resume, close_all, kill, revive, reconcile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, which engine, and how long to wait for it."""
        parser.epilog = (
            "exit codes: 0 done, 2 not found, 4 refused, 5 the engine did not answer in time"
        )
        parser.add_argument("act", choices=["status", "explain", "start", "stop", *ORDERS])
        parser.add_argument("--tenant", required=True, help="the workspace's short name")
        parser.add_argument("--exchange", required=True, help="the account's venue")
        parser.add_argument("--account", default="", help="account label, where there are several")
        parser.add_argument("--reason", default="", help="why; shown on the page and in the log")
        parser.add_argument("--wait", type=numbers.seconds, default=10.0, help="default 10")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, act: str, tenant: str, exchange: str, account: str, **options: Any) -> None:
        """Do it and say what became of it."""
        try:
            found = find_engine(tenant=tenant, venue=exchange, label=account)
        except EngineNotListed as error:
            raise CommandError(str(error), returncode=EXIT_NOT_FOUND) from None
        if act in ("status", "explain"):
            told = status(found) if act == "status" else explain(found)
        elif act in ORDERS:
            told = order(found, act, reason=options["reason"], seconds=options["wait"])
        else:
            told = wish(found, act)
        text = json.dumps(told, indent=2, default=str)
        self.stdout.write(text if options["json"] else words(told))
        if told.get("outcome") is None and act in ORDERS:
            sys.exit(EXIT_TIMEOUT)


def status(found: ListedEngine) -> dict[str, Any]:
    """Wanted, seen, held, open."""
    with tenant_scope(found.tenant_id):
        shown = dashboard.get_dashboard(engine_id=uuid.UUID(found.engine_id))
        if shown is None:
            raise CommandError(f"{found.name} is gone", returncode=EXIT_NOT_FOUND)
        return {
            "engine": found.name,
            "desired": shown.engine.desired,
            "observed": shown.engine.observed,
            "detail": shown.engine.detail,
            "heartbeat_at": shown.engine.heartbeat_at,
            "equity": shown.equity,
            "holds": [f"{one['hold'].reason} ({one['lifted_by']})" for one in shown.holds],
            "positions": [str(position) for position in shown.positions],
        }


def explain(found: ListedEngine) -> dict[str, Any]:
    """The newest decision in words."""
    with tenant_scope(found.tenant_id):
        shown = dashboard.get_dashboard(engine_id=uuid.UUID(found.engine_id))
    if shown is None or not shown.decisions:
        return {"engine": found.name, "sentence": "nothing was decided yet"}
    newest = shown.decisions[0]
    gates = [
        f"{gate['name']}: {gate['verdict']} (value {gate['value']}, limit {gate['limit']})"
        for gate in newest["gates"]
        if gate["verdict"] != NOT_ASKED
    ]
    return {"engine": found.name, "sentence": newest["sentence"], "gates": gates}


def wish(found: ListedEngine, act: str) -> dict[str, Any]:
    """Ask for it to run, or not to."""
    do = operations.start_engine if act == "start" else operations.stop_engine
    try:
        with tenant_scope(found.tenant_id):
            do(engine_id=uuid.UUID(found.engine_id), actor=None, now=timezone.now())
    except operations.EngineRefused as error:
        raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
    return {"engine": found.name, "outcome": f"{act} is asked for; a fleet does it"}


def order(found: ListedEngine, act: str, *, reason: str, seconds: float) -> dict[str, Any]:
    """Put a command into the engine's inbox and wait for its outcome."""
    with tenant_scope(found.tenant_id):
        asked = ORDERS[act](
            engine_id=uuid.UUID(found.engine_id),
            actor=None,
            reason=reason or f"{act.replace('_', ' ')} from the terminal",
            idempotency_key=uuid.uuid4().hex,
            now=timezone.now(),
        )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with tenant_scope(found.tenant_id):
            done = EngineCommand.objects.get(id=asked.id)
        if done.finished_at is not None:
            return {"engine": found.name, "outcome": done.outcome}
        time.sleep(LOOK_SECONDS)
    return {
        "engine": found.name,
        "outcome": None,
        "detail": f"not done within {seconds:g} s; the engine does it when it runs",
    }


def words(told: dict[str, Any]) -> str:
    """One fact a line."""
    lines = []
    for name, value in told.items():
        if isinstance(value, list):
            value = "\n  ".join(["", *value]) if value else "none"
        lines.append(f"{name.replace('_', ' ')}: {'–' if value is None else value}")
    return "\n".join(lines)
