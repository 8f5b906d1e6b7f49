"""WebSocket v2 of Kraken: subscriptions, one confirmation for each symbol, frames with a channel."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trading.exchanges.kraken.socket_road import SocketRoad
from trading.exchanges.sockets import Broken, Connected, Frame


@dataclass(slots=True)
class Subscriptions:
    """One connection; ``ask`` gives its subscriptions, ``confirmed`` gets what each brings with it."""

    ask: Callable[[], Awaitable[Sequence[dict[str, Any]]]]
    confirmed: Callable[[Mapping[str, Any]], None] = lambda told: None
    _waiting: int = 0

    async def requests(self) -> Sequence[Frame]:
        """The subscriptions, numbered."""
        wanted = await self.ask()
        self._waiting = sum(len(one["params"].get("symbol") or [1]) for one in wanted)
        return [{**one, "req_id": number} for number, one in enumerate(wanted, start=1)]

    def hear(self, frame: Frame) -> Frame | Connected | None:
        """Frames with a channel; ``Connected`` once every subscription was confirmed."""
        if frame.get("method") == "subscribe":
            if frame.get("success") is not True:
                raise Broken(f"subscription refused: {frame.get('error', 'no reason given')}")
            self.confirmed(frame.get("result") or {})
            self._waiting -= 1
            return Connected() if self._waiting == 0 else None
        return frame if "channel" in frame else None


@dataclass(slots=True)
class Overheard:
    """A private connection: its subscriptions, and answers on the road of orders."""

    inner: Subscriptions
    road: SocketRoad

    async def requests(self) -> Sequence[Frame]:
        """The subscriptions, numbered."""
        return await self.inner.requests()

    def hear(self, frame: Frame) -> Frame | Connected | None:
        """As the subscriptions hear it; the road hears everything first, and its answers are news too."""
        return frame if self.road.hear(frame) else self.inner.hear(frame)
