"""A sale the venue tells of what our books do not hold: it is not booked, and a person must look."""

from collections.abc import Callable

import numpy as np
import structlog
from msgspec.structs import replace

from trading.core.codes import Purpose, Side
from trading.engine.guards import BREAKER, OPERATOR, PAUSE, Guards
from trading.engine.messages import FillReport, MarketSpec
from trading.engine.state import CoreState

UNHELD = "sale of what is not held"

log = structlog.get_logger(__name__)


def only_held(
    report: FillReport,
    core: CoreState,
    guards: Guards,
    *,
    hold: Callable[..., None],  # Handler.hold
    alert: Callable[[str, str], None],
) -> FillReport:
    """What a position covers; of anything else its order's end alone, and a person is told why."""
    market = core.markets[report.market]
    if is_covered(report, market):
        return report
    words = in_words(report, core.specs[report.market], market)
    hold(BREAKER, UNHELD, words, open=True)
    if not guards.is_open(OPERATOR, PAUSE):
        hold(OPERATOR, PAUSE, words, open=True)
    hold(BREAKER, UNHELD, "", open=False)  # the pause stays until a person has looked
    alert(UNHELD, words)
    log.error("sale_not_booked", why=words)
    return without_fill(report)


def is_covered(report: FillReport, market: np.void) -> bool:
    """Whether a position is there that the report can take from."""
    held = int(market["position"]["quantity_lots"])
    return report.purpose == Purpose.ENTRY or report.quantity_lots <= max(0, -report.side * held)


def without_fill(report: FillReport) -> FillReport:
    """What remains for books and core: whether its order is over."""
    return replace(
        report,
        quantity_lots=0,
        price_ticks=0,
        fee_units=0,
        venue_trade_id="",
        fee="",
        fee_currency="",
        taken_lots=0,
        price="",
    )


def in_words(report: FillReport, spec: MarketSpec, market: np.void) -> str:
    """Both numbers, and by which names the venue knows it."""
    told = spec.lot_size * report.quantity_lots
    held = spec.lot_size * abs(int(market["position"]["quantity_lots"]))
    price = spec.price_of(report)
    verb = "bought back" if report.side == Side.BUY else "sold"
    return (
        f"{spec.symbol}: the venue says {told.normalize():f} {spec.base} were {verb} at "
        f"{price.normalize():f}, our books hold {held.normalize():f}; trade {report.venue_trade_id} "
        f"of order {report.venue_order_id} is not booked. Compare the account, then resume"
    )
