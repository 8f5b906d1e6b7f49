"""How many engines of a host begin at once: as many as it has cores, the next when one is at rest."""

import os
import select
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_SECONDS = 30.0  # then a start is waited for no longer: its venue may be silent for hours

AtRest = Callable[[], None]


def cores() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Pipe:
    """Its writing end is closed by whoever starts, by hand or by dying: then the start is over."""

    reader: int
    writer: int

    @classmethod
    def make(cls) -> "Pipe":
        """Both ends, of this process and of those it forks."""
        return cls(*os.pipe())

    def begin(self) -> AtRest:
        """In the child: what ends the start, as often as it is called."""
        os.close(self.reader)
        ends = [self.writer]

        def at_rest() -> None:
            while ends:  # its number may belong to another file by the second time
                os.close(ends.pop())

        return at_rest


@dataclass(slots=True)
class Settling:
    """The starts that are not over."""

    most: int = field(default_factory=cores)
    _since: dict[int, float] = field(default_factory=dict)  # reading end -> when it began

    def has_room(self, now: float) -> bool:
        """Whether one more may begin."""
        self.wait(0)
        for reader, began in list(self._since.items()):
            if now - began >= MOST_SECONDS:
                self._forget(reader)
        return len(self._since) < self.most

    def note(self, pipe: Pipe, now: float) -> None:
        """In the parent: a child begins."""
        os.close(pipe.writer)
        self._since[pipe.reader] = now

    def wait(self, seconds: float) -> None:
        """Until one is over, or for so long."""
        over, _, _ = select.select(list(self._since), [], [], seconds)
        for reader in over:
            self._forget(reader)

    def _forget(self, reader: int) -> None:
        os.close(reader)
        del self._since[reader]
