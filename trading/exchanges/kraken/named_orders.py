"""Orders by the names the venue gave them, and those of them that it does not know any more."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trading.exchanges.kraken.errors import ApiError, NoAnswer
from trading.exchanges.venue_clock import VenueClock

LAG_NS = 3_000_000_000  # the venue's lists may be behind its book by so much
Read = Callable[..., Awaitable[Any]]


@dataclass(slots=True)
class NamedOrders:
    """Asks for one account's orders; remembers since when one is not known."""

    clock: VenueClock
    _unknown_ns: dict[str, int] = field(default_factory=dict)

    async def ask(self, read: Read, names: Sequence[str]) -> Mapping[str, Any]:
        """What the venue says of them; one that it does not know is left out, and hides no other.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        try:
            found: Mapping[str, Any] = await read(
                "QueryOrders", txid=",".join(names), trades="true"
            )
        except ApiError as error:
            if not error.is_gone:
                raise
            alone = [await self.ask(read, [name]) for name in names if len(names) > 1]
            return {name: told for one in alone for name, told in one.items()}
        for name in found:
            self._unknown_ns.pop(name, None)
        return found

    def check_forgotten(self, name: str) -> None:
        """An order that was left out is over once that has been so for longer than the lists lag.

        It cannot rest at the venue; while nobody says so its position is neither protected nor sold.

        Raises:
            NoAnswer: the venue may know it yet.
        """
        now_ns = self.clock.now_ns()
        if now_ns - self._unknown_ns.setdefault(name, now_ns) < LAG_NS:
            raise NoAnswer(f"it does not know order {name}")
