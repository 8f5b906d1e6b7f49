"""Pure order state machine: (state, event) -> state, or error."""

from enum import StrEnum

from trading.engine.errors import IllegalTransition


class State(StrEnum):
    """Life of an intent; the journal stores these words."""

    PLANNED = "PLANNED"
    WORKING = "WORKING"
    UNKNOWN = "UNKNOWN"
    DONE = "DONE"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"


class Event(StrEnum):
    """What can happen to an intent."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    PARTLY_FILLED = "PARTLY_FILLED"
    ENDED = "ENDED"
    REFUSED = "REFUSED"
    NO_ANSWER = "NO_ANSWER"
    TOO_LATE = "TOO_LATE"


OPEN_STATES = frozenset({State.PLANNED, State.WORKING, State.UNKNOWN})

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.PLANNED, Event.ACKNOWLEDGED): State.WORKING,
    (State.PLANNED, Event.PARTLY_FILLED): State.WORKING,
    (State.PLANNED, Event.ENDED): State.DONE,
    (State.PLANNED, Event.REFUSED): State.REFUSED,
    (State.PLANNED, Event.NO_ANSWER): State.UNKNOWN,
    (State.PLANNED, Event.TOO_LATE): State.EXPIRED,
    (State.WORKING, Event.ACKNOWLEDGED): State.WORKING,
    (State.WORKING, Event.PARTLY_FILLED): State.WORKING,
    (State.WORKING, Event.ENDED): State.DONE,
    (State.UNKNOWN, Event.ACKNOWLEDGED): State.WORKING,
    (State.UNKNOWN, Event.PARTLY_FILLED): State.WORKING,
    (State.UNKNOWN, Event.ENDED): State.DONE,
    (State.UNKNOWN, Event.TOO_LATE): State.EXPIRED,
}


def advance(state: State, event: Event) -> State:
    """The state after ``event``.

    Raises:
        IllegalTransition: the event cannot follow the state.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"{event} cannot follow {state}") from None
