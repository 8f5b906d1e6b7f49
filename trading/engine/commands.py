"""What people order: pause, resume, close all, kill, revive."""

import structlog

from trading.core.codes import ExitReason
from trading.engine.batches import CommandDone
from trading.engine.handler import Handler
from trading.engine.messages import Command

log = structlog.get_logger(__name__)

OPERATOR, CAUSE, KILLED = "OPERATOR", "operator", "kill"


async def obey(handler: Handler, command: Command) -> None:
    """Carry out one command and write its outcome with it."""
    handler.sequence += 1
    match command.kind:
        case "PAUSE":
            is_new = await _hold(handler, command, CAUSE)
            outcome = "entries paused; exits and stops keep running" if is_new else "already paused"
        case "RESUME":
            is_paused = handler.guards.is_open(OPERATOR, CAUSE)
            outcome = _lift(handler, command, CAUSE) if is_paused else "was not paused"
        case "CLOSE_ALL":
            await _hold(handler, command, CAUSE)
            outcome = _close_all(handler)
        case "KILL":
            await _hold(handler, command, KILLED)
            outcome = f"killed: {_close_all(handler)}"
        case "REVIVE":
            is_killed = handler.guards.is_open(OPERATOR, KILLED)
            outcome = _lift(handler, command, KILLED) if is_killed else "was not killed"
        case other:
            outcome = f"unknown command {other}"
    handler.batch.commands.append(CommandDone(command.id, outcome))
    await handler.commit()
    handler.ports.live.holds(handler.core, handler.guards.bits)
    log.info("command_done", kind=command.kind, outcome=outcome)


async def _hold(handler: Handler, command: Command, cause: str) -> bool:
    """Enter nothing from now on and take back entries on their way; False when it stood before."""
    is_new = not handler.guards.is_open(OPERATOR, cause)
    if is_new:
        reason = command.reason or f"{command.kind.lower()} by a person"
        handler.hold(OPERATOR, cause, reason, open=True, command_id=command.id)
    for order in handler.execution.working_entries():
        changes = await handler.execution.cancel(order, reason="entries are held")
        await handler.settle(order, changes)
    return is_new


def _close_all(handler: Handler) -> str:
    """Ask for every position to be closed at its next price."""
    specs, close = handler.core.specs, handler.core.request_exit
    asked = [one.symbol for one in specs if close(one.index, ExitReason.OPERATOR)]
    return f"closing {', '.join(asked)}" if asked else "nothing was open"


def _lift(handler: Handler, command: Command, cause: str) -> str:
    handler.hold(OPERATOR, cause, "", open=False, command_id=command.id)
    standing = handler.guards.bits
    return "entries resumed" if not standing else "lifted; another hold still stands"
