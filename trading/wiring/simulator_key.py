"""The key of the venue simulator's own customer: made once, kept in the data directory."""

import json
import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Any

from django.conf import settings

from tenants.vault.parts import ExchangeKey


def state_file() -> Path:
    """What outlives a run of the simulator: when its time began, and the account's key."""
    return Path(settings.DATA_DIR) / "run" / "simulator.json"


def read_state() -> dict[str, Any]:
    """The state of the last run, or a new one with a key alone."""
    try:
        state: dict[str, Any] = json.loads(state_file().read_text())
        if state["key"] and state["secret"]:
            return state
    except (OSError, ValueError, KeyError):
        pass
    state = {
        "key": f"simulated-{secrets.token_hex(8)}",
        "secret": b64encode(secrets.token_bytes(64)).decode(),
    }
    write_state(state)
    return state


def write_state(state: dict[str, Any]) -> None:
    """Keep it, for its owner only."""
    path = state_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(json.dumps(state))
    fresh.replace(path)


def simulator_key() -> ExchangeKey:
    """The key the simulator knows, or will know when it starts."""
    state = read_state()
    return ExchangeKey(str(state["key"]), str(state["secret"]))
