"""Channels consumers; authenticate, subscribe, forward."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from trading.stream import passes
from trading.stream.access import Door, Guest
from trading.stream.hub import Hub, Listener, SilentReader

NOT_READING = 4408


class Confirmation(msgspec.Struct):
    """``{"read": 64}``: texts read since the socket opened."""

    read: int


decode_confirmation = msgspec.json.Decoder(Confirmation).decode


@dataclass(frozen=True, slots=True)
class House:
    """What the sockets of one event loop share."""

    hub: Hub
    door: Door


_houses: dict[asyncio.AbstractEventLoop, House] = {}


def house() -> House:
    """This process's hub and door; one of each per event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _houses:
        door = Door()
        _houses[loop] = House(Hub(settings.REDIS_URL, look_again=door.look_again), door)
    return _houses[loop]


class LiveConsumer(AsyncWebsocketConsumer):
    """The live values of one workspace, the signed-in person's or the key's, and of no other."""

    guest: Guest | None = None
    listener: Listener | None = None
    task: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        """Let members and their keys in; say with the close code why not."""
        await self.accept()
        shown = passes.pass_of(self.scope)
        if isinstance(shown, int):
            await self.close(shown)
            return
        verdict = await house().door.admit(shown, address=passes.address_of(self.scope))
        if isinstance(verdict, int):
            await self.close(verdict)
            return
        self.guest = Guest(shown, verdict, self._close)
        self.listener = Listener(self._send_text)
        self.task = asyncio.create_task(self._forward(self.listener))
        house().door.enter(self.guest)
        await house().hub.join(str(verdict.tenant_id), self.listener)

    async def disconnect(self, code: int) -> None:
        """Leave door and hub and end what was started."""
        if self.guest is None or self.listener is None or self.task is None:
            return
        house().door.leave(self.guest)
        house().hub.leave(str(self.guest.seat.tenant_id), self.listener)
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages only say how many texts they have read; anything else is ignored."""
        if self.listener is None or text_data is None:
            return
        with suppress(msgspec.MsgspecError):
            self.listener.confirm(decode_confirmation(text_data).read)

    async def _forward(self, listener: Listener) -> None:
        try:
            await listener.run()
        except SilentReader:
            await self._close(NOT_READING)

    async def _close(self, code: int) -> None:
        with suppress(RuntimeError):  # the page was quicker
            await self.close(code)

    async def _send_text(self, text: str) -> None:
        with suppress(RuntimeError):  # the socket closed between two sends
            await self.send(text_data=text)
