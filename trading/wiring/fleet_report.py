"""What each engine of this host's fleet costs, and when it last decided."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from trading.stream.publisher import channel_of
from trading.wiring.directory import ListedEngine
from trading.wiring.processes import (
    Memory,
    ProcessGone,
    read_cpu_seconds,
    read_memory,
    read_start,
)

SAMPLE_SECONDS = 1.0
MS_PER_SECOND = 1000


class NoFleet(Exception):
    """No fleet runs here."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One process; ages are None where nothing was told."""

    name: str
    pid: int
    memory: Memory
    cpu_percent: float
    last_word_seconds: float | None = None
    last_bar_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The parent they were forked from, and the engines."""

    parent: Figures
    engines: tuple[Figures, ...]

    def as_json(self) -> dict[str, Any]:
        """Everything, with totals and what one more engine costs."""
        return {
            "parent": asdict(self.parent),
            "engines": [asdict(one) for one in self.engines],
            "total": {"engines": len(self.engines), **self.total()},
            "per_engine": self.per_engine(),
        }

    def total(self) -> dict[str, float]:
        """Memory that all of them take up together, and their CPU."""
        everyone = (self.parent, *self.engines)
        return {
            "pss_mb": round(sum(one.memory.pss_mb for one in everyone), 1),
            "cpu_percent": round(sum(one.cpu_percent for one in everyone), 1),
        }

    def per_engine(self) -> dict[str, float]:
        """What one more engine costs: what is its own alone, and its CPU; nothing without engines."""
        count = len(self.engines)
        if not count:
            return {}
        return {
            "private_mb": round(sum(one.memory.private_mb for one in self.engines) / count, 1),
            "cpu_percent": round(sum(one.cpu_percent for one in self.engines) / count, 1),
        }


def state_file() -> Path:
    """Where a fleet tells which processes are its."""
    return Path(settings.DATA_DIR) / "run" / "fleet.json"


def note_fleet(children: Mapping[int, ListedEngine]) -> None:
    """Tell, for reports, which process runs which engine."""
    listed = [
        {"pid": pid, "name": one.name, "engine_id": one.engine_id, "tenant_id": one.tenant_id}
        for pid, one in children.items()
    ]
    state = {"pid": os.getpid(), "started": read_start(os.getpid()), "engines": listed}
    path = state_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(state))
    fresh.replace(path)


def make_report(*, sample_seconds: float = SAMPLE_SECONDS) -> Report:
    """Look at every process of the fleet; CPU is that of the time it takes.

    Raises:
        NoFleet: none runs.
    """
    state = _read_state()
    parent = {"pid": state["pid"], "name": "fleet"}
    before = _cpu([parent, *state["engines"]])
    time.sleep(sample_seconds)
    words = _last_words(state["engines"])
    looked = [
        _figures(one, before[one["pid"]], sample_seconds, words)
        for one in (parent, *state["engines"])
        if one["pid"] in before
    ]
    found = [one for one in looked if one is not None]
    if not found or found[0].pid != state["pid"]:
        raise NoFleet("the fleet has just ended")
    return Report(parent=found[0], engines=tuple(found[1:]))


def _read_state() -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(state_file().read_text())
        if read_start(state["pid"]) == state["started"]:
            return state
    except (OSError, ValueError, KeyError, ProcessGone):
        pass
    raise NoFleet("no fleet runs here; ./SuperStart.sh or manage.py run_fleet starts one")


def _cpu(processes: Sequence[Mapping[str, Any]]) -> dict[int, tuple[float, float]]:
    """(CPU time, moment) of those that live."""
    found = {}
    for one in processes:
        with suppress(ProcessGone):
            found[int(one["pid"])] = (read_cpu_seconds(one["pid"]), time.monotonic())
    return found


def _figures(
    process: Mapping[str, Any],
    before: tuple[float, float],
    sample_seconds: float,
    words: Mapping[str, Mapping[str, Any]],
) -> Figures | None:
    pid, (cpu, at) = int(process["pid"]), before
    try:
        memory = read_memory(pid)
        used = (read_cpu_seconds(pid) - cpu) / max(time.monotonic() - at, sample_seconds)
    except ProcessGone:
        return None
    told = words.get(process.get("engine_id", ""), {})
    return Figures(
        name=process["name"],
        pid=pid,
        memory=memory,
        cpu_percent=round(100 * used, 1),
        last_word_seconds=_age(told.get("wall_ms")),
        last_bar_seconds=_age(told.get("bar_wall_ms")),
    )


def _age(at_ms: int | None) -> float | None:
    return round(max(time.time() - at_ms / MS_PER_SECOND, 0.0), 1) if at_ms else None


def _last_words(engines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each engine last published of itself; nothing where Redis does not answer."""
    found: dict[str, dict[str, Any]] = {}
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    with suppress(redis.RedisError, OSError), client:
        for one in engines:
            key = f"engine::{one['engine_id']}"
            told = client.hget(f"{channel_of(one['tenant_id'])}:latest", key)
            if told:
                found[one["engine_id"]] = json.loads(told)["data"]
    return found
