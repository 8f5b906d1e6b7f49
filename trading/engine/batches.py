"""What the engine hands to the ledger in one transaction, and what it gets back at start."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from trading.engine.messages import FillReport, OrderRequest
from trading.engine.sights import Stranger


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision of one market: the core's own bytes."""

    market: int
    record: bytes


@dataclass(frozen=True, slots=True)
class IntentState:
    """A new state of an intent already in the journal; ``sent`` where its order was acknowledged."""

    market: int
    seq: int
    state: str
    reason: str = ""
    venue_order_id: str = ""
    sent: "Sent | None" = None


@dataclass(frozen=True, slots=True)
class Sent:
    """When an order was given to the venue and when the venue had named it; wall time."""

    at_ns: int
    acknowledged_ns: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """A market's position as the core sees it after the batch."""

    market: int
    quantity_lots: int
    stop_ticks: int


@dataclass(frozen=True, slots=True)
class WriteOff:
    """All that was left of a market's position, and no order may sell: it leaves the books."""

    market: int
    time_ns: int
    quantity_lots: int


@dataclass(frozen=True, slots=True)
class HoldChange:
    """A hold placed (``open``) or lifted, by a command or, without one, by the engine itself."""

    kind: str
    cause: str
    reason: str
    open: bool
    command_id: str = ""


@dataclass(frozen=True, slots=True)
class CommandDone:
    """A command finished with this outcome."""

    command_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class MarketMemory:
    """One market's record byte for byte, and by names what survives a change of the core."""

    market: int
    record: bytes
    portable: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The core's and the paper venue's memory: all of it from the journal, what changed to it."""

    sequence: int
    markets: tuple[MarketMemory, ...]  # to the journal: those whose record is another than it has
    account: bytes
    venue: bytes
    portable: bytes  # the account by names

    def onto(self, former: "Snapshot | None") -> "Snapshot":
        """All of it, where the journal had ``former``."""
        known = {one.market: one for one in (*(former.markets if former else ()), *self.markets)}
        return replace(self, markets=tuple(known[market] for market in sorted(known)))


@dataclass(slots=True)
class LedgerBatch:
    """Everything that must become true together."""

    decisions: list[DecisionRow] = field(default_factory=list)
    intents: list[OrderRequest] = field(default_factory=list)
    intent_states: list[IntentState] = field(default_factory=list)
    fills: list[FillReport] = field(default_factory=list)
    write_offs: list[WriteOff] = field(default_factory=list)  # after the fills
    positions: list[PositionView] = field(default_factory=list)
    holds: list[HoldChange] = field(default_factory=list)
    commands: list[CommandDone] = field(default_factory=list)
    strangers: tuple[Stranger, ...] | None = None  # None: as they were
    snapshot: Snapshot | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing that a person or a restart could miss."""
        return not (self.holds or self.commands or self.fills or self.intent_states) and (
            self.strangers is None
        )


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """An intent as the journal knows it, with the venue's newest name of its order."""

    order: OrderRequest
    state: str
    venue_order_id: str = ""


class Known(StrEnum):
    """What a venue can say of an order of ours."""

    WORKING = "WORKING"
    OVER = "OVER"
    ABSENT = "ABSENT"  # proven: it was never placed and cannot be any more
    UNDECIDED = "UNDECIDED"  # it may still turn up


@dataclass(frozen=True, slots=True)
class Evidence:
    """The venue's word on one order, with the news that was not told before.

    An order that is over brings its last news with it, be it an end without a fill.
    """

    known: Known
    venue_order_id: str = ""
    news: tuple[FillReport, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the journal knows at start."""

    cash_units: int  # 1e-8 of the account's quote currency
    snapshot: Snapshot | None
    snapshot_core_hash: str
    snapshot_layout_hash: str
    open_intents: tuple[OpenIntent, ...]
    holds: tuple[tuple[str, str], ...]  # (kind, cause)
    ended_intents: tuple[OpenIntent, ...] = ()  # the newest, whose fills may still come late
    booked_trades: frozenset[str] = frozenset()  # of the newest fills, in the venue's names
