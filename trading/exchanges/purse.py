"""What entries may spend: the venue's word on the account, less what was sent since."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading.core.codes import Purpose, Side
from trading.engine.errors import NotSent, Refused
from trading.engine.messages import MarketSpec, OrderRequest
from trading.engine.sights import Holding
from trading.exchanges.failures import FAILS, reading

NONE = Decimal(0)


@dataclass(slots=True)
class Purse:
    """Covers entries; ``count`` asks the venue, which happens only where what is known is too little."""

    count: Callable[[], Awaitable[Mapping[str, Holding]]]
    _left: dict[str, Decimal] = field(default_factory=dict)

    def see(self, holdings: Mapping[str, Holding]) -> None:
        """What the account has now."""
        self._left = {asset: one.available for asset, one in holdings.items()}

    async def spend(self, order: OrderRequest, spec: MarketSpec, *, last: Decimal) -> None:
        """Let an entry pass that the account can pay; everything else passes.

        Raises:
            Refused: it cannot, or the entry would sell the customer's own coins.
            NotSent: the venue does not say what there is.
        """
        if order.purpose != Purpose.ENTRY:
            return
        if order.side is not Side.BUY:
            raise Refused(
                f"side: an entry here buys; {spec.base} of the account is not ours to sell"
            )
        cost = spec.lot_size * order.quantity_lots * (spec.tick_size * order.price_ticks or last)
        if cost > self._left.get(spec.quote, NONE):
            try:
                with reading("what the account has"):
                    self.see(await self.count())
            except FAILS as error:
                raise NotSent(f"nobody says what the account has: {error}") from None
        left = self._left.get(spec.quote, NONE)
        if cost > left:
            raise Refused(
                f"notional: {cost:.2f} {spec.quote} where the account has {left:.2f} free"
            )
        self._left[spec.quote] = left - cost
