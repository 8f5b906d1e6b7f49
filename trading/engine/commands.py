"""What is ordered: pause, resume, close all, kill, revive; holds for the key and the workspace."""

import structlog

from trading.core.codes import ExitReason
from trading.engine.batches import CommandDone
from trading.engine.guards import BREAKER, OPERATOR, PAUSE
from trading.engine.handler import Handler
from trading.engine.messages import Command

log = structlog.get_logger(__name__)

KILLED = "kill"
HELD_FOR = {  # what nobody presses a button for: kind and cause of the hold
    "KEY": (BREAKER, "exchange key"),
    "LAPSED": ("BILLING", "lapsed"),
    "SUSPENDED": ("BILLING", "suspended"),
}


async def obey(handler: Handler, command: Command) -> None:
    """Carry out one command and write its outcome with it."""
    handler.sequence += 1
    match command.kind:
        case "PAUSE":
            is_new = await _hold(handler, command, OPERATOR, PAUSE)
            outcome = "entries paused; exits and stops keep running" if is_new else "already paused"
        case "RESUME":
            is_paused = handler.guards.is_open(OPERATOR, PAUSE)
            outcome = _lift(handler, command, OPERATOR, PAUSE) if is_paused else "was not paused"
        case "CLOSE_ALL":
            await _hold(handler, command, OPERATOR, PAUSE)
            outcome = _close_all(handler)
        case "KILL":
            await _hold(handler, command, OPERATOR, KILLED)
            outcome = f"killed: {_close_all(handler)}"
        case "REVIVE":
            is_killed = handler.guards.is_open(OPERATOR, KILLED)
            outcome = _lift(handler, command, OPERATOR, KILLED) if is_killed else "was not killed"
        case "HOLD_KEY" | "HOLD_LAPSED" | "HOLD_SUSPENDED" as kind:
            is_new = await _hold(handler, command, *HELD_FOR[kind.removeprefix("HOLD_")])
            outcome = "entries held" if is_new else "already held"
        case "LIFT_KEY" | "LIFT_LAPSED" | "LIFT_SUSPENDED" as kind:
            held_for = HELD_FOR[kind.removeprefix("LIFT_")]
            is_held = handler.guards.is_open(*held_for)
            outcome = _lift(handler, command, *held_for) if is_held else "was not held"
        case other:
            outcome = f"unknown command {other}"
    handler.batch.commands.append(CommandDone(command.id, outcome))
    await handler.commit()
    handler.ports.live.holds(handler.core, handler.guards.bits)
    log.info("command_done", kind=command.kind, outcome=outcome)


async def _hold(handler: Handler, command: Command, kind: str, cause: str) -> bool:
    """Enter nothing from now on and take back entries on their way; False when it stood before."""
    is_new = not handler.guards.is_open(kind, cause)
    if is_new:
        reason = command.reason or f"{command.kind.lower()} by a person"
        handler.hold(kind, cause, reason, open=True, command_id=command.id)
    for order in handler.execution.working_entries():
        changes = await handler.execution.cancel(order, reason="entries are held")
        await handler.settle(order, changes)
    return is_new


def _close_all(handler: Handler) -> str:
    """Ask for every position to be closed at its next price."""
    specs, close = handler.core.specs, handler.core.request_exit
    asked = [one.symbol for one in specs if close(one.index, ExitReason.OPERATOR)]
    return f"closing {', '.join(asked)}" if asked else "nothing was open"


def _lift(handler: Handler, command: Command, kind: str, cause: str) -> str:
    handler.hold(kind, cause, "", open=False, command_id=command.id)
    standing = handler.guards.bits
    return "entries resumed" if not standing else "lifted; another hold still stands"
