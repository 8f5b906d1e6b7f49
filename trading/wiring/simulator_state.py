"""What the venue simulator leaves in the data directory: its customer's key, its clock, its port."""

import json
import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Any

from django.conf import settings

from tenants.vault.parts import ExchangeKey
from trading.exchanges.simulator.coinbase_jwt import make_key
from trading.queries.bars import CannotFeed


def state_file() -> Path:
    """What outlives a run of the simulator."""
    return Path(settings.DATA_DIR) / "run" / "simulator.json"


def memory_folder() -> Path:
    """Where the simulator keeps accounts, orders and trades."""
    return Path(settings.DATA_DIR) / "simulator"


def read_state() -> dict[str, Any]:
    """The state of the last run; keys that are missing are made and kept."""
    try:
        told: dict[str, Any] = json.loads(state_file().read_text())
    except (OSError, ValueError):
        told = {}
    state = told if told.get("key") and told.get("secret") else {**told, **_new_key()}
    if not state.get("coinbase"):
        made = make_key()
        state = {**state, "coinbase": {"key": made.name, "secret": made.secret}}
    if state != told:
        write_state(state)
    return state


def _new_key() -> dict[str, str]:
    return {
        "key": f"simulated-{secrets.token_hex(8)}",
        "secret": b64encode(secrets.token_bytes(64)).decode(),
    }


def write_state(state: dict[str, Any]) -> None:
    """Keep it, for its owner only."""
    path = state_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(json.dumps(state))
    fresh.replace(path)


def simulator_key(venue: str = "simulator") -> ExchangeKey:
    """The key the simulator knows, or will know when it starts, at one of its two sides."""
    state = read_state()
    state = state["coinbase"] if venue == "simulator_coinbase" else state
    return ExchangeKey(str(state["key"]), str(state["secret"]))


def simulator_speed() -> float:
    """Market seconds a second brings there.

    Raises:
        CannotFeed: it never ran here.
    """
    return float(_last_run().get("speed", 1.0))


def simulator_port() -> int:
    """Where this installation's simulator listens.

    Raises:
        CannotFeed: it never ran here.
    """
    return int(_last_run()["port"])


def _last_run() -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(state_file().read_text())
        if state["port"]:
            return state
    except (OSError, ValueError, KeyError):
        pass
    raise CannotFeed("the venue simulator never ran here; start manage.py run_simulator")
