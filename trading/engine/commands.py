"""What people order: pause, resume, close all."""

import structlog

from trading.core.codes import ExitReason
from trading.engine.batches import CommandDone
from trading.engine.handler import Handler
from trading.engine.messages import Command

log = structlog.get_logger(__name__)

OPERATOR, CAUSE = "OPERATOR", "operator"


async def obey(handler: Handler, command: Command) -> None:
    """Carry out one command and write its outcome with it."""
    handler.sequence += 1
    match command.kind:
        case "PAUSE":
            outcome = await _pause(handler, command)
        case "RESUME":
            outcome = _resume(handler, command)
        case "CLOSE_ALL":
            await _pause(handler, command)
            specs, close = handler.core.specs, handler.core.request_exit
            asked = [one.symbol for one in specs if close(one.index, ExitReason.OPERATOR)]
            outcome = f"closing {', '.join(asked)}" if asked else "nothing was open"
        case other:
            outcome = f"unknown command {other}"
    handler.batch.commands.append(CommandDone(command.id, outcome))
    await handler.commit()
    handler.ports.live.holds(handler.core, handler.guards.bits)
    log.info("command_done", kind=command.kind, outcome=outcome)


async def _pause(handler: Handler, command: Command) -> str:
    if handler.guards.is_open(OPERATOR, CAUSE):
        return "already paused"
    reason = command.reason or "paused by a person"
    handler.hold(OPERATOR, CAUSE, reason, open=True, command_id=command.id)
    for order in handler.execution.working_entries():
        changes = await handler.execution.cancel(order, reason="entries are held")
        await handler.settle(order, changes)
    return "entries paused; exits and stops keep running"


def _resume(handler: Handler, command: Command) -> str:
    if not handler.guards.is_open(OPERATOR, CAUSE):
        return "was not paused"
    handler.hold(OPERATOR, CAUSE, "", open=False, command_id=command.id)
    return "entries resumed"
