"""Pure: the largest order a bot's limits allow, beside the least one its venue takes."""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from trading.core.config.pipeline import PipelineParams

CENT = Decimal("0.01")
BPS = 1e-4


@dataclass(frozen=True, slots=True)
class Reach:
    """The tightest of a bot's limits: its largest order over its capital."""

    limit: str
    share: Decimal


@dataclass(frozen=True, slots=True)
class Least:
    """The least order in a pair, as its venue asks for it."""

    venue: str
    symbol: str
    quantity: Decimal
    notional: Decimal
    price: Decimal  # 0: unknown, so that only the notional counts

    @property
    def cost(self) -> Decimal:
        """What it costs, in the quote currency."""
        return max(self.notional, self.quantity * self.price)


def reach_of(params: PipelineParams) -> Reach:
    """How far the limits let one order go, with every other factor of its size at its largest."""
    costs, sizing = params.costs, params.sizing
    one_way = costs.taker_fee_bps + costs.half_spread_bps + costs.slippage_bps
    round_trip = 2 * one_way * BPS
    shares = {
        "sizing.max_position": sizing.max_position,
        "sizing.max_exposure": sizing.max_exposure,
        "sizing.risk_per_trade": sizing.risk_per_trade / (params.risk.min_stop + round_trip),
        "its cash": 1 / (1 + round_trip),
    }
    limit = min(shares, key=shares.__getitem__)
    return Reach(limit, Decimal(repr(shares[limit])))


def find_shortage(*, reach: Reach, least: Least, bot: str, capital: Decimal, quote: str) -> str:
    """Why a bot could never enter, with what is missing; empty: it can."""
    most = capital * reach.share
    if most >= least.cost:
        return ""
    missing, enough = least.cost - most, least.cost / reach.share
    what = "" if least.cost == least.notional else f" ({least.quantity.normalize():f} of it)"
    more = "" if reach.limit == "its cash" else f", or a larger {reach.limit}"
    return (
        f"{least.symbol}: bot {bot!r} can buy for {_up(most, down=True)} {quote} at most, by "
        f"{reach.limit} of a capital of {capital:.2f}; {least.venue} takes no order below "
        f"{_up(least.cost)} {quote}{what}, {_up(missing)} more; accepted is a capital of at least "
        f"{_up(enough)} {quote}{more}"
    )


def _up(amount: Decimal, *, down: bool = False) -> Decimal:
    """Cents, never better than they are."""
    return amount.quantize(CENT, rounding="ROUND_DOWN" if down else ROUND_UP)
