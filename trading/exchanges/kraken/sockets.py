"""WebSocket v2 of Kraken: subscriptions, one confirmation for each symbol, frames with a channel."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from trading.exchanges.kraken import instruments, movements, tickers, trades
from trading.exchanges.kraken.movements import Movements
from trading.exchanges.kraken.socket_road import SocketRoad
from trading.exchanges.sockets import Ask, Broken, Connected, Frame

log = structlog.get_logger(__name__)

EXTRA = (  # candles, books or REST tell the same, or later: not waited for
    instruments.CHANNEL,
    movements.CHANNEL,
    tickers.CHANNEL,
    trades.CHANNEL,
)


def why_refused(frame: Frame) -> str:
    """The venue's words."""
    return str(frame.get("error", "no reason given"))


def refused_symbol(frame: Frame, symbols: Iterable[str]) -> str:
    """The one symbol that a refusal is about, as `Currency pair not supported X/Y` says; empty: all."""
    named = [str(frame.get("symbol")), *why_refused(frame).split()]
    return next((symbol for symbol in symbols if symbol in named), "")


@dataclass(slots=True)
class Subscriptions:
    """One connection; ``ask`` gives its subscriptions, ``confirmed`` gets what each brings with it.

    ``leave`` says whether a refusal is of one symbol alone, which is done without.
    """

    ask: Callable[[], Awaitable[Sequence[dict[str, Any]]]]
    confirmed: Callable[[Mapping[str, Any]], None] = lambda told: None
    leave: Callable[[Frame], bool] = lambda refusal: False
    _waiting: int = 0
    _channels: list[str] = field(default_factory=list)

    async def requests(self) -> Sequence[Frame]:
        """The subscriptions, numbered."""
        wanted = await self.ask()
        self._channels = [str(one["params"]["channel"]) for one in wanted]
        self._waiting = sum(
            len(one["params"].get("symbol") or [1])
            for one in wanted
            if one["params"]["channel"] not in EXTRA
        )
        return [{**one, "req_id": number} for number, one in enumerate(wanted, start=1)]

    def hear(self, frame: Frame) -> Frame | Connected | None:
        """Frames with a channel; ``Connected`` once every subscription that matters was confirmed."""
        if frame.get("method") != "subscribe":
            return frame if "channel" in frame else None
        if frame.get("success") is not True:
            return self._do_without(frame)
        told = frame.get("result")
        result = told if isinstance(told, dict) else {}
        self.confirmed(result)
        if result.get("channel") in EXTRA:
            return None
        return self._count()

    def _count(self) -> Connected | None:
        self._waiting -= 1
        return Connected() if self._waiting == 0 else None

    def _do_without(self, frame: Frame) -> Connected | None:
        """Raises:
        Broken: what was refused cannot be done without.
        """
        number, why = frame.get("req_id"), why_refused(frame)
        asked = [name for at, name in enumerate(self._channels, start=1) if at == number]
        if not asked or (asked[0] not in EXTRA and not self.leave(frame)):
            raise Broken(f"subscription refused: {why}")
        log.warning("channel_refused", channel=asked[0], why=why)
        return None if asked[0] in EXTRA else self._count()


@dataclass(slots=True)
class Overheard:
    """A private connection: its subscriptions, what moves, and answers on the road of orders."""

    inner: Subscriptions
    road: SocketRoad
    movements: Movements

    async def requests(self) -> Sequence[Frame]:
        """The subscriptions, numbered."""
        return await self.inner.requests()

    def hear(self, frame: Frame) -> Frame | Connected | Ask | None:
        """As the subscriptions hear it; the road hears everything first, and its answers are news too."""
        if self.road.hear(frame):
            return frame
        if frame.get("channel") == movements.CHANNEL:
            return self.movements.hear(frame)
        return self.inner.hear(frame)
