"""Channels consumers; authenticate, subscribe, forward."""

import asyncio
from contextlib import suppress
from importlib import import_module

import msgspec
import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from django.http import HttpRequest

from tenants.middleware import SESSION_KEY
from tenants.queries import Workspace, choose_workspace
from trading.stream.hub import Hub, Listener, SilentReader

log = structlog.get_logger(__name__)

CANNOT_TELL = 1013  # "try again later": the page connects anew and is judged then
NOT_SIGNED_IN = 4401
NOT_A_MEMBER = 4403
NOT_READING = 4408
SECONDS_BETWEEN_CHECKS = 10.0


class Confirmation(msgspec.Struct):
    """``{"read": 64}``: texts read since the socket opened."""

    read: int


decode_confirmation = msgspec.json.Decoder(Confirmation).decode


class NoAccess(Exception):
    """Nobody is signed in, or not as a member; ``code`` closes the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """This process's hub; one per event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(settings.REDIS_URL)
    return _hubs[loop]


class LiveConsumer(AsyncWebsocketConsumer):
    """The live values of the signed-in person's workspace, and of no other."""

    workspace: Workspace | None = None
    listener: Listener | None = None
    tasks: tuple["asyncio.Task[None]", ...] = ()

    async def connect(self) -> None:
        """Let members in; say with the close code why not."""
        await self.accept()
        try:
            self.workspace = await self._read_workspace()
        except NoAccess as refused:
            await self.close(refused.code)
            return
        except DatabaseError as error:
            log.warning("socket_access_unknown", error=str(error))
            await self.close(CANNOT_TELL)
            return
        self.listener = Listener(self._send_text)
        self.tasks = (
            asyncio.create_task(self._forward(self.listener)),
            asyncio.create_task(self._watch_access()),
        )
        await hub().join(str(self.workspace.id), self.listener)

    async def disconnect(self, code: int) -> None:
        """Leave the hub and end what was started."""
        if self.workspace is not None and self.listener is not None:
            hub().leave(str(self.workspace.id), self.listener)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

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
            await self.close(NOT_READING)

    async def _send_text(self, text: str) -> None:
        with suppress(RuntimeError):  # the socket closed between two sends
            await self.send(text_data=text)

    async def _watch_access(self) -> None:
        """Close when the person signed out, was removed, or chose another workspace."""
        entered = self.workspace
        while entered is not None:
            await asyncio.sleep(SECONDS_BETWEEN_CHECKS)
            try:
                now = await self._read_workspace()
            except NoAccess as refused:
                await self.close(refused.code)
                return
            except DatabaseError as error:  # unknown is not yes
                log.warning("socket_access_unknown", error=str(error))
                await self.close(CANNOT_TELL)
                return
            if now.id != entered.id:
                await self.close(NOT_A_MEMBER)
                return

    @database_sync_to_async
    def _read_workspace(self) -> Workspace:
        """The workspace the session leads to now.

        Raises:
            NoAccess: signed out, or a member of nothing.
        """
        store = import_module(settings.SESSION_ENGINE).SessionStore
        request = HttpRequest()  # a fresh look at the session, not the one of the handshake
        request.session = store(self.scope["session"].session_key)
        user = get_user(request)
        if not user.is_authenticated:
            raise NoAccess(NOT_SIGNED_IN)
        workspace = choose_workspace(user_id=user.pk, wanted=request.session.get(SESSION_KEY))
        if workspace is None:
            raise NoAccess(NOT_A_MEMBER)
        return workspace
