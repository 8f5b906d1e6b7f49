"""What goes wrong on demand: each fault meets the next requests or messages it fits."""

from dataclasses import dataclass, field

REPLIES = ("request_lost", "request_late", "reply_lost", "reply_late", "page_520", "error")
COINBASE_REPLIES = (*REPLIES, "unauthorized", "rate_limited", "server_error", "unknown_enum")
SOCKET_DEATHS = ("request_lost", "request_late", "reply_lost")
SOCKET_REPLIES = ("reply_late", "reply_dropped", "reply_twice", "error")
ORDERS = ("late_fill",)
MESSAGES = ("drop", "duplicate", "bad_checksum", "not_json")
COINBASE_MESSAGES = ("drop", "duplicate", "not_json", "unknown_enum", "replay", "close", "silent")
KINDS = tuple(
    dict.fromkeys((*COINBASE_REPLIES, *SOCKET_REPLIES, *ORDERS, *MESSAGES, *COINBASE_MESSAGES))
)


class UnknownFault(ValueError):
    """A fault that is none; the text names those there are."""


@dataclass(slots=True)
class Fault:
    """``where`` is a REST method, a WebSocket method or a channel; empty fits all."""

    kind: str
    where: str = ""
    times: int = 1
    seconds: float = 0.0
    words: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownFault(f"fault {self.kind!r}: accepted is {', '.join(KINDS)}")


@dataclass(slots=True)
class FaultPlan:
    """Armed faults in order; a fault that has met as many as it should is gone."""

    armed: list[Fault] = field(default_factory=list)
    met: list[Fault] = field(default_factory=list)

    def arm(self, fault: Fault) -> None:
        """Let it happen from now on."""
        self.armed.append(fault)

    def take(self, kinds: tuple[str, ...], where: str) -> Fault | None:
        """The first armed fault of these kinds that fits, counted."""
        for fault in self.armed:
            if fault.kind in kinds and fault.where in ("", where):
                fault.times -= 1
                if fault.times <= 0:
                    self.armed.remove(fault)
                self.met.append(fault)
                return fault
        return None
