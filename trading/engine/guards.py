"""Holds and what they allow: entries fail closed, exits fail open."""

from collections.abc import Iterable, Sequence

from trading.core.codes import HoldBit, Purpose
from trading.engine.messages import OrderRequest

BREAKER = "BREAKER"
DATA = "DATA"
RULES_OF = "rules:"  # and a symbol: its terms alone
BOOK_OF = "book:"  # idem: its order book
OPERATOR, PAUSE = "OPERATOR", "operator"


class Guards:
    """The open holds of one engine and the markets whose last order has no known outcome."""

    def __init__(
        self, holds: tuple[tuple[str, str], ...] = (), *, symbols: Sequence[str] = ()
    ) -> None:
        self._holds, self._symbols = set(holds), symbols
        self.unresolved: set[int] = set()
        self.doubts: set[str] = set()  # what may become a hold: not told, entries wait

    @property
    def bits(self) -> int:
        """All holds as ``ACCOUNT.holds`` bits."""
        return _bits(self._holds)

    def bits_of(self, market: int) -> int:
        """The same of those that bind a market, for the core's own gate."""
        return _bits(self._binding(market))

    def _binding(self, market: int) -> set[tuple[str, str]]:
        """Without what is about other pairs alone."""
        return {
            (kind, cause)
            for kind, cause in self._holds
            if kind != DATA
            or not cause.startswith((RULES_OF, BOOK_OF))
            or cause.partition(":")[2] == self._symbols[market]
        }

    def causes(self, kind: str) -> set[str]:
        """What holds of this kind stand for."""
        return {cause for one, cause in self._holds if one == kind}

    def strays(self) -> set[str]:
        """Causes of holds about pairs that are traded no more: nobody would lift them."""
        ours = {f"{RULES_OF}{symbol}" for symbol in self._symbols}
        return {one for one in self.causes(DATA) if one.startswith(RULES_OF)} - ours

    def place(self, kind: str, cause: str) -> None:
        """Remember a hold that the journal now carries."""
        self._holds.add((kind, cause))

    def lift(self, kind: str, cause: str) -> None:
        """Forget a hold that the journal has cleared."""
        self._holds.discard((kind, cause))

    def is_open(self, kind: str, cause: str) -> bool:
        """Whether this very hold stands."""
        return (kind, cause) in self._holds

    def allows(self, order: OrderRequest) -> bool:
        """Whether the order may be planned now."""
        if order.purpose != Purpose.ENTRY:
            return True
        if self.doubts or self._binding(order.market):
            return False
        return order.market not in self.unresolved


def _bits(holds: Iterable[tuple[str, str]]) -> int:
    bits = 0
    for kind, _cause in holds:
        bits |= HoldBit[kind]
    return bits
