"""An engine's side of a shared feed: the venue's frames and REST answers from a process beside it."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from trading.exchanges.failures import FAILS, NoAnswer, Unreached
from trading.exchanges.shared import words
from trading.exchanges.shared.places import within_reach
from trading.exchanges.silence import Silence
from trading.exchanges.sockets import JITTER, Connected, Conversation, Converse, Heard, Lost

SILENCE_SECONDS = 10.0  # it beats every second
ANSWER_SECONDS = 60.0
RETRY_SECONDS = 0.5
FAILURES = {failure.__name__: failure for failure in FAILS}


class FeedGone(Exception):
    """Nobody has served the shared feed for longer than an engine waits."""


class Link:
    """The way to one shared feed, and for how long it has been closed."""

    def __init__(self, path: Path, *, patience_seconds: float) -> None:
        self._path, self._patience_seconds = path, patience_seconds
        self._closed_since: float | None = None

    async def open(self) -> "Pipe":
        """A connection.

        Raises:
            OSError: there is nobody now.
            FeedGone: there was nobody for longer than we wait.
        """
        now = asyncio.get_running_loop().time()
        try:
            with within_reach(self._path) as name:
                pipe = Pipe(*await asyncio.open_unix_connection(name))
        except OSError as error:
            since = self._closed_since = now if self._closed_since is None else self._closed_since
            if now - since >= self._patience_seconds:
                raise FeedGone(f"no shared feed for {now - since:.0f} s: {error}") from None
            raise
        self._closed_since = None
        return pipe


class Pipe:
    """One connection to a shared feed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, message: words.ToFeed) -> None:
        """Send a message.

        Raises:
            ConnectionError: the feed ended, or cut us off.
        """
        await words.send(self._writer, words.pack(message))

    async def hear(self, *, within_seconds: float) -> words.ToEngine:
        """The next message.

        Raises:
            ConnectionError: the feed ended, or cut us off. TimeoutError: it says nothing.
        """
        async with asyncio.timeout(within_seconds):
            return await self.next()

    async def next(self) -> words.ToEngine:
        """The next message, whenever it comes.

        Raises:
            ConnectionError: the feed ended, or cut us off.
        """
        return await words.hear_feed(self._reader)

    def cut(self) -> None:
        """Hang up at once."""
        self._writer.transport.abort()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class SharedRest:
    """Public reads, one at a time, through the shared feed."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._pipe: Pipe | None = None
        self._turn = asyncio.Lock()

    async def public(self, path: str, /, **params: Any) -> Any:
        """The venue's answer.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: no answer.
            FeedGone: there was no feed for longer than we wait.
        """
        return (await self._ask(words.Ask(path, params), within_seconds=ANSWER_SECONDS)).answer

    async def young(self, path: str, *, symbols: Sequence[str], within_seconds: float) -> Any:
        """The rows of a table for some symbols; of none: the whole, no older than so many seconds.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: no answer, or an older one.
            FeedGone: there was no feed for longer than we wait.
        """
        began = asyncio.get_running_loop().time()
        ask = words.Ask(path, {}, tuple(symbols))
        told = await self._ask(ask, within_seconds=within_seconds)
        age = asyncio.get_running_loop().time() - began + told.age_seconds
        if age > within_seconds:
            raise NoAnswer(f"the shared feed's answer is {age:.0f} s old")
        return told.answer

    async def _ask(self, ask: words.Ask, *, within_seconds: float) -> words.Told:
        async with self._turn:
            try:
                pipe = self._pipe or await self._link.open()
            except OSError as error:
                raise Unreached(f"the shared feed cannot be reached: {error}") from None
            self._pipe = None  # until the whole answer was heard
            try:
                await pipe.say(ask)
                told = await pipe.hear(within_seconds=within_seconds)
            except (OSError, TimeoutError) as error:
                pipe.close()
                raise NoAnswer(f"no answer of the shared feed: {error}") from None
            self._pipe = pipe
        if isinstance(told, words.Failed):
            raise FAILURES.get(told.kind, NoAnswer)(told.words)
        if not isinstance(told, words.Told):
            raise NoAnswer(f"the shared feed answered with {type(told).__name__}")
        return told

    async def close(self) -> None:
        """Hang up."""
        if self._pipe is not None:
            self._pipe.close()


class SharedStream:
    """Frames of the venue through the shared feed."""

    def __init__(self, link: Link, *, symbols: Sequence[str] = (), timeframe_ns: int = 0) -> None:
        self._link, self._symbols, self._timeframe_ns = link, tuple(symbols), timeframe_ns

    async def listen(self, _: str, converse: Converse) -> Heard:
        """In place of ``sockets.listen``.

        Raises:
            FeedGone: there was no feed for longer than we wait.
        """
        is_lost = False
        while True:
            try:
                async with aclosing(self._connection(converse())) as frames:
                    async for frame in frames:
                        is_lost = False
                        yield frame
            except (OSError, TimeoutError) as error:
                if not is_lost:  # one silence is told once
                    yield Lost(f"shared feed: {error or 'silent'}")
                is_lost = True
            await asyncio.sleep(RETRY_SECONDS * JITTER.uniform(0.5, 1.5))

    async def _connection(self, conversation: Conversation) -> Heard:
        pipe = await self._link.open()
        try:
            requests = list(await conversation.requests())
            await pipe.say(words.Subscribe(requests, self._symbols, self._timeframe_ns))
            with Silence(SILENCE_SECONDS, pipe.cut) as silence:
                while True:
                    match await silence.broken_by(pipe.next()):
                        case words.Said(frame):
                            yield frame
                        case words.Up():
                            yield Connected()
                        case words.Down(reason):
                            yield Lost(reason)
        finally:
            pipe.close()


async def ask_status(path: Path) -> words.Status:
    """How the feed of a socket stands.

    Raises:
        Unreached: nobody is there. NoAnswer: it does not say.
    """
    try:
        pipe = await Link(path, patience_seconds=float("inf")).open()
    except OSError as error:
        raise Unreached(str(error)) from None
    with suppress(OSError, TimeoutError):
        await pipe.say(words.AskStatus())
        told = await pipe.hear(within_seconds=SILENCE_SECONDS)
        if isinstance(told, words.Status):
            pipe.close()
            return told
    pipe.close()
    raise NoAnswer(f"{path} is served by something that does not say how it stands")
