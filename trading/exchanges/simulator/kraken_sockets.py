"""Carries one WebSocket of the simulated venue: frames in, frames out, heartbeats in between."""

import asyncio
import json
from functools import partial

from aiohttp import web

from trading.exchanges.simulator.faults import SOCKET_DEATHS, Fault
from trading.exchanges.simulator.kraken_stream import Session


async def serve(request: web.Request, session: Session) -> web.WebSocketResponse:
    """Carry one socket until either side is done."""
    socket = web.WebSocketResponse(heartbeat=None, max_msg_size=1_000_000)
    await socket.prepare(request)
    session.greet()
    writer = asyncio.create_task(_write(socket, session))
    try:
        async for message in socket:
            if message.type is not web.WSMsgType.TEXT:
                break
            fault = _death(session, message.data)
            if fault is None:
                session.receive(message.data)
                continue
            if fault.kind == "request_late":  # it stands in a buffer on the way
                session.exchange.later(fault.seconds, partial(session.arrive, message.data))
            elif fault.kind == "reply_lost":
                session.receive(message.data)
            break
    finally:
        session.leave()
        writer.cancel()
        await socket.close()
    return socket


def _death(session: Session, text: str) -> Fault | None:
    """Whether the connection dies of this request: before it is acted on, or before it is answered."""
    try:
        method = str(json.loads(text).get("method"))
    except (ValueError, AttributeError):
        return None
    return session.exchange.faults.take(SOCKET_DEATHS, method)


async def _write(socket: web.WebSocketResponse, session: Session) -> None:
    """Frames as they come; a heartbeat after a second without one, once something is subscribed."""
    loop = asyncio.get_running_loop()
    while not socket.closed and not session.is_over:
        try:
            async with asyncio.timeout(1.0):
                frame = await session.queue.get()
        except TimeoutError:
            if session.subscriptions and loop.time() >= session.silent_until:
                await socket.send_str('{"channel":"heartbeat"}')
            continue
        await socket.send_str(frame.decode())
    await socket.close()
