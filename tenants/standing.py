"""What a workspace may still do when its plan lapsed or it was suspended, and in which words (pure)."""

from enum import StrEnum

ACTIVE, LAPSED, SUSPENDED, CLOSED = "ACTIVE", "WINDING_DOWN", "SUSPENDED", "CLOSED"


class Effect(StrEnum):
    """What an act does to the risk a workspace runs."""

    HARMLESS = "harmless"  # reads, and whatever ends something, lowers risk or keeps exits running
    CHANGE = "change"
    OPEN = "open"  # lets entries begin or go on


REFUSED: dict[str, frozenset[Effect]] = {
    LAPSED: frozenset({Effect.OPEN}),
    SUSPENDED: frozenset({Effect.CHANGE, Effect.OPEN}),
    CLOSED: frozenset({Effect.CHANGE, Effect.OPEN}),
}
NAMES = {LAPSED: "has lapsed", SUSPENDED: "is suspended", CLOSED: "is closed"}
LIFTED_BY = {
    LAPSED: "a paid subscription lifts it",
    SUSPENDED: "the operator of this installation lifts it",
    CLOSED: "the operator of this installation lifts it",
}


def is_refused(*, status: str, effect: Effect) -> bool:
    """Whether a workspace of this status may not do what has this effect."""
    return effect in REFUSED.get(status, ())


def words_of(*, status: str, reason: str) -> str:
    """Why entries are held, as a part of a sentence; empty for an active workspace."""
    if status == ACTIVE:
        return ""
    return f"the workspace {NAMES[status]}{f': {reason}' if reason else ''}"


def refusal_of(*, status: str, reason: str) -> str:
    """What somebody is told who asked for what this status refuses."""
    return (
        f"Refused, {words_of(status=status, reason=reason)}; {LIFTED_BY[status]}. "
        "Reading, exporting, pausing, closing and stopping stay open."
    )
