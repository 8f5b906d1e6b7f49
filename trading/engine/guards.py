"""Holds and what they allow: entries fail closed, exits fail open."""

from trading.core.codes import HoldBit, Purpose
from trading.engine.messages import OrderRequest

BREAKER = "BREAKER"
OPERATOR, PAUSE = "OPERATOR", "operator"


class Guards:
    """The open holds of one engine and the markets whose last order has no known outcome."""

    def __init__(self, holds: tuple[tuple[str, str], ...] = ()) -> None:
        self._holds = set(holds)
        self.unresolved: set[int] = set()
        self.doubts: set[str] = set()  # what may become a hold: not told, entries wait

    @property
    def bits(self) -> int:
        """The holds as ``ACCOUNT.holds`` bits for the core's own gate."""
        bits = 0
        for kind, _cause in self._holds:
            bits |= HoldBit[kind]
        return bits

    def causes(self, kind: str) -> set[str]:
        """What holds of this kind stand for."""
        return {cause for one, cause in self._holds if one == kind}

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
        if self._holds or self.doubts:
            return False
        return order.market not in self.unresolved
