"""The core's memory as the journal has it: each market whole, and the changes since."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from trading.engine.batches import MarketMemory
from trading.ledger import words

MOST_COMMITS = 256  # between a market's whole records, however little of it changes
WHOLE_AT_ONCE = 16  # a sixteenth of the markets: no commit is much longer than the others


class MarketChange(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a commit changed of one market."""

    market: int
    record: bytes
    portable: bytes

    @property
    def size(self) -> int:
        """Bytes that the journal keeps of it."""
        return len(self.record) + len(self.portable)


@dataclass(frozen=True, slots=True)
class KeptMarket:
    """One market as last committed."""

    memory: MarketMemory
    number: int  # of the commit that wrote it whole
    changed: int = 0  # bytes of its changes since

    def after(self, change: MarketChange) -> "KeptMarket":
        """As it is with one more change."""
        memory = MarketMemory(
            change.market,
            words.apply(self.memory.record, change.record),
            words.apply(self.memory.portable, change.portable),
        )
        return KeptMarket(memory, self.number, self.changed + change.size)


@dataclass(frozen=True, slots=True)
class Brought:
    """What a commit writes of the markets, and what they are then."""

    number: int
    whole: tuple[MarketMemory, ...]
    changes: tuple[MarketChange, ...]
    kept: dict[int, KeptMarket]
    needless: int  # changes up to this commit are in the whole records


class JournaledMemory:
    """All markets of one engine; changes are cheap to write, whole records let them be forgotten."""

    def __init__(self, kept: dict[int, KeptMarket], *, number: int) -> None:
        self._kept, self._number = kept, number

    @property
    def markets(self) -> tuple[MarketMemory, ...]:
        """Every market, byte for byte."""
        return tuple(self._kept[market].memory for market in sorted(self._kept))

    def bring(self, markets: Sequence[MarketMemory]) -> Brought:
        """How the next commit writes these; ``note`` when it has."""
        number = self._number + 1
        changes = [
            change_of(self._kept[one.market].memory, one)
            for one in markets
            if one.market in self._kept
        ]
        latest = {one.market: one for one in markets}
        kept = dict(self._kept)
        for change in changes:
            known = kept[change.market]
            grown = known.changed + change.size
            kept[change.market] = KeptMarket(latest[change.market], known.number, grown)
        fresh = [one for one in markets if one.market not in self._kept]
        whole = (*fresh, *(kept[market].memory for market in due(kept, number)))
        kept |= {one.market: KeptMarket(one, number) for one in whole}
        return Brought(
            number=number,
            whole=whole,
            changes=tuple(one for one in changes if kept[one.market].number < number),
            kept=kept,
            needless=min((one.number for one in kept.values() if one.changed), default=number),
        )

    def note(self, brought: Brought) -> None:
        """It was committed."""
        self._kept, self._number = brought.kept, brought.number


def fold(
    whole: Iterable[tuple[int, MarketMemory]],
    changes: Iterable[tuple[int, Sequence[MarketChange]]],
) -> JournaledMemory:
    """The memory that commits of these numbers left; changes from the oldest on."""
    kept = {memory.market: KeptMarket(memory, number) for number, memory in whole}
    last = max((one.number for one in kept.values()), default=0)
    for number, told in changes:
        last = max(last, number)
        for change in told:
            known = kept[change.market]
            if number > known.number:
                kept[change.market] = known.after(change)
    return JournaledMemory(kept, number=last)


def change_of(former: MarketMemory, now: MarketMemory) -> MarketChange:
    """What turns one memory of a market into the next."""
    return MarketChange(
        now.market,
        words.difference(former.record, now.record),
        words.difference(former.portable, now.portable),
    )


def due(kept: dict[int, KeptMarket], number: int) -> list[int]:
    """The markets whose changes are long enough, or old enough, to be written whole; oldest first."""
    found = [
        market
        for market, one in kept.items()
        if one.changed
        and (one.changed >= len(one.memory.record) or number - one.number >= MOST_COMMITS)
    ]
    found.sort(key=lambda market: kept[market].number)
    return found[: max(1, len(kept) // WHOLE_AT_ONCE)]
