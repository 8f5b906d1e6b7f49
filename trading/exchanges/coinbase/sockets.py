"""WebSocket of Coinbase: one subscription a channel, one count over all frames of a connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from trading.exchanges.sockets import Broken, Connected, Frame

log = structlog.get_logger(__name__)

HEARTBEATS = "heartbeats"  # keeps channels open that have nothing to tell


@dataclass(slots=True)
class FrameCount:
    """One count over all frames of a connection."""

    _last: int = -1

    def is_next(self, frame: Frame) -> bool:
        """Whether a frame is new.

        Raises:
            Broken: one before it is missing.
        """
        try:
            number = int(frame["sequence_num"])
        except (KeyError, TypeError, ValueError):
            log.warning("frame_without_number", channel=frame.get("channel"))
            return True
        if number > self._last + 1:
            raise Broken(f"message {number} came after {self._last}")
        is_new, self._last = number > self._last, max(number, self._last)
        return is_new


@dataclass(slots=True)
class Subscriptions:
    """One connection; ``token`` makes a JWT for each message, without it none is sent."""

    channel: str
    product_ids: Sequence[str] = ()
    token: Callable[[], str] | None = None
    _count: FrameCount = field(default_factory=FrameCount)
    _missing: set[str] = field(default_factory=set)

    async def requests(self) -> Sequence[Frame]:
        """The channel and its heartbeats."""
        self._missing = {self.channel, HEARTBEATS}
        products: Frame = {"product_ids": list(self.product_ids)} if self.product_ids else {}
        first: Frame = {"type": "subscribe", "channel": self.channel, **products}
        return [self._signed(first), self._signed({"type": "subscribe", "channel": HEARTBEATS})]

    def _signed(self, request: Frame) -> Frame:
        return {**request, "jwt": self.token()} if self.token else request

    def hear(self, frame: Frame) -> Frame | Connected | None:
        """Frames in their order, each once; ``Connected`` once both channels were confirmed."""
        if frame.get("type") == "error":
            raise Broken(f"refused: {frame.get('message', 'no reason given')}")
        if "channel" not in frame or not self._count.is_next(frame):
            return None
        if frame["channel"] != "subscriptions":
            return frame
        was_missing, self._missing = self._missing, self._missing - _confirmed(frame)
        return Connected() if was_missing and not self._missing else None


def events_of(frame: Frame) -> list[Frame]:
    """The events of a frame that can be read."""
    events = frame.get("events")
    return [one for one in events if isinstance(one, dict)] if isinstance(events, list) else []


def _confirmed(frame: Frame) -> set[str]:
    told = [one.get("subscriptions") for one in events_of(frame)]
    return {str(channel) for one in told if isinstance(one, dict) for channel in one}
