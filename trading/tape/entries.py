"""What stands on a tape: one entry for everything an engine was told, and where a segment starts."""

from msgspec import Struct

from trading.core.config.pipeline import PipelineParams
from trading.engine.batches import Evidence
from trading.engine.messages import (
    BarClosed,
    BookSeen,
    Command,
    FeedChange,
    FillReport,
    MarketSpec,
    PriceTick,
    StopChanged,
)

FORMAT = 1


class BarTold(Struct, frozen=True, gc=False, array_like=True, tag="bar"):
    """A closed bar, with the holds in force as the core decided on it."""

    at_ns: int
    told: BarClosed
    holds: int


class BookTold(Struct, frozen=True, gc=False, array_like=True, tag="book"):
    """The order book that the next bars of a market are decided with."""

    at_ns: int
    told: BookSeen


class TickTold(Struct, frozen=True, gc=False, array_like=True, tag="tick"):
    """A price between bars."""

    at_ns: int
    told: PriceTick


class FillTold(Struct, frozen=True, gc=False, array_like=True, tag="fill"):
    """An execution, or the end of an order as the venue or the engine itself saw it."""

    at_ns: int
    told: FillReport


class StopTold(Struct, frozen=True, gc=False, array_like=True, tag="stop"):
    """A resting stop was found to be another than was asked for."""

    at_ns: int
    told: StopChanged


class DustLeft(Struct, frozen=True, gc=False, array_like=True, tag="dust"):
    """What no order may sell was written off."""

    at_ns: int
    market: int
    time_ns: int


class ExitAsked(Struct, frozen=True, gc=False, array_like=True, tag="exit"):
    """A position that a command wants closed."""

    at_ns: int
    market: int
    reason: int


class ChannelTold(Struct, frozen=True, gc=False, array_like=True, tag="channel"):
    """A channel fell silent or speaks again."""

    at_ns: int
    told: FeedChange


class CommandTold(Struct, frozen=True, gc=False, array_like=True, tag="command"):
    """A person's order to the engine, as it was taken from the inbox."""

    at_ns: int
    told: Command


class OrderAnswered(Struct, frozen=True, gc=False, array_like=True, tag="answer"):
    """What the venue said when an order was sent: its id, or the error and its words."""

    at_ns: int
    market: int
    seq: int
    answer: str
    words: str


class OrderLookedUp(Struct, frozen=True, gc=False, array_like=True, tag="lookup"):
    """The venue's word on an order that was not clear."""

    at_ns: int
    market: int
    seq: int
    evidence: Evidence


Entry = (
    BarTold
    | BookTold
    | TickTold
    | FillTold
    | StopTold
    | DustLeft
    | ExitAsked
    | ChannelTold
    | CommandTold
    | OrderAnswered
    | OrderLookedUp
)


class Start(Struct, frozen=True, array_like=True):
    """The state a segment starts from: enough to decide again without a database."""

    format: int
    engine_id: str
    epoch: int
    number: int
    first_sequence: int  # of the segment's first entry, counted since this leader began
    opened_ns: int
    core_hash: str
    layout_hash: str
    specs: tuple[MarketSpec, ...]
    params: tuple[PipelineParams, ...]
    cursors: tuple[int, ...]  # open time of the last bar decided on, by market; 0: none
    markets: bytes  # deflated
    account: bytes
