"""What a person must know of an engine first: why it does not decide or enter, and what ends that."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from trading.models import Engine, Hold
from trading.queries.holds import list_holds
from trading.queries.standing import state_of

KILLED = "kill"  # the cause of a person's hold that only an owner lifts
RESTING_STOPS = "Stops that rest at the venue stay there"
LOOK_AT_IT = "If this stays, the operator of this installation looks at ./SuperStart.sh --status"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing in plain words; ``act`` names the button that ends it, where a person may."""

    look: str
    title: str
    says: str
    ends: str
    act: str = ""


def list_notices(engine: Engine, *, now: datetime) -> list[Notice]:
    """The worst first; none of an engine that runs and may enter."""
    return [*_of_its_run(engine, now), *_of_holds(engine)]


def digest(notices: Sequence[Notice]) -> str:
    """Equal as long as the same is told."""
    return hashlib.blake2s(repr(notices).encode(), digest_size=8).hexdigest()


def _of_its_run(engine: Engine, now: datetime) -> Iterator[Notice]:
    state, states = state_of(engine, now=now), Engine.Observed
    why = sentence(engine.detail)
    if state is states.PARKED:
        yield Notice("danger", "The engine is not started any more.", why,
                     "Start it once that is put right.", "start")  # fmt: skip
    elif engine.desired == Engine.Desired.STOPPED:
        yield from _stopping(engine, state)
    elif state is states.FAILED:
        yield Notice("danger", "The engine could not begin.", why,
                     "It is tried again by itself, and begins once that is put right.")  # fmt: skip
    elif state is states.SILENT:
        yield Notice("danger", "The engine gives no sign of life.",
                     f"Last heard {_at(engine.heartbeat_at)}; nothing is decided. {RESTING_STOPS}.",
                     f"It is started again by itself. {LOOK_AT_IT}.")  # fmt: skip
    elif state is states.FINISHED:
        yield Notice("info", "Every stored bar was replayed.", "Nothing more will be decided.",
                     "Begin again with new paper money, or look at what it did.", "again")  # fmt: skip
    elif state is states.STARTING:
        yield Notice("info", "The engine is getting ready.", why, "It begins by itself.")
    elif state is states.STOPPED:
        yield Notice("info", "The engine is about to start.", "", f"{LOOK_AT_IT}.")


def _stopping(engine: Engine, state: Engine.Observed) -> Iterator[Notice]:
    """One that never ran is told of by the first steps."""
    if state in (Engine.Observed.RUNNING, Engine.Observed.STARTING):
        yield Notice("info", "The engine is asked to stop.", f"{RESTING_STOPS}.", "")
    elif engine.heartbeat_at is not None:
        yield Notice("warning", "The engine is stopped.",
                     f"Nothing is decided. {RESTING_STOPS}.", "Starting it ends this.", "start")  # fmt: skip


def _of_holds(engine: Engine) -> Iterator[Notice]:
    for item in list_holds(engine):
        hold: Hold = item["hold"]
        says, ends = sentence(f"{hold.reason}, {_at(hold.placed_at)}"), sentence(item["lifted_by"])
        if hold.cause == KILLED:
            yield Notice(
                "danger", "Killed: everything is closed, nothing is entered.", says, ends, "revive"
            )
        else:
            act = "resume" if hold.kind == Hold.Kind.OPERATOR else ""
            yield Notice(
                "warning", "Entries on hold.", f"{says} Exits and stops keep running.", ends, act
            )


def sentence(words: str) -> str:
    """With its capital and its stop."""
    words = words.strip().rstrip(".")
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
