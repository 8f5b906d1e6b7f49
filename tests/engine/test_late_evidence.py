"""The venue's word on an order comes when the stream has told a part of it: the rest is booked, too."""

from dataclasses import dataclass, field

from tests.core.play import plain
from tests.engine.fakes import Street, random_bars
from trading.core.codes import ExitReason, Purpose, Side
from trading.core.config.profiles import PROFILES
from trading.engine.batches import Evidence, Known
from trading.engine.handler import Handler
from trading.engine.messages import FillReport, OrderRequest

EXIT = OrderRequest(
    market=0, seq=7, client_order_id="seven", at_ns=1, purpose=Purpose.EXIT, side=Side.SELL,
    quantity_lots=4, price_ticks=0, expires_ns=0, replaces_seq=0, reason=ExitReason.TIME,
    deadline_ns=2**62,
)  # fmt: skip


def fill(lots: int, trade: str, *, final: int = 0) -> FillReport:
    return FillReport(
        market=0, intent_seq=7, time_ns=1, purpose=int(Purpose.EXIT), side=int(Side.SELL),
        quantity_lots=lots, price_ticks=1000, fee_units=5, liquidity=0,
        reason=int(ExitReason.TIME), final=final, venue_order_id="V7", venue_trade_id=trade,
    )  # fmt: skip


@dataclass
class Desk:
    """A position of four lots and an exit of it that has no answer."""

    street: Street = field(
        default_factory=lambda: Street([random_bars(1, 10)], plain(PROFILES["active"]))
    )
    booked: list[str] = field(default_factory=list)
    handler: Handler = field(init=False)

    async def begin(self) -> None:
        core = self.street.core
        core.fund(10_000.0)
        position = core.markets[0]["position"]
        position["quantity_lots"], position["exit_seq"], position["entry_price"] = 4, 7, 100.0
        ports, pace = self.street.runner._ports, self.street.runner._pace
        self.handler = Handler(core=core, ports=ports, pace=pace)
        self.street.venue.booked = (  # type: ignore[method-assign]
            lambda report: self.booked.append(report.venue_trade_id)
        )
        self.street.ledger.intents[0, 7] = (EXIT, "PLANNED")
        self.handler.execution.planned(EXIT)
        await self.handler.judge(EXIT, Evidence(Known.UNDECIDED))

    @property
    def held(self) -> int:
        return int(self.street.core.markets[0]["position"]["quantity_lots"])


async def test_what_a_look_found_is_booked_although_the_order_is_clear_by_now() -> None:
    desk = Desk()
    await desk.begin()
    await desk.handler.handle(fill(1, "T1"))  # while the venue was asked

    await desk.handler.judge(EXIT, Evidence(Known.OVER, "V7", (fill(3, "T2", final=1),)))

    assert desk.held == 0
    assert [one.venue_trade_id for one in desk.street.ledger.fills] == ["T1", "T2"]
    assert desk.street.ledger.intents[0, 7][1] == "DONE"


async def test_the_venue_hears_of_each_piece_of_news_that_is_booked() -> None:
    desk = Desk()
    await desk.begin()

    await desk.handler.judge(EXIT, Evidence(Known.UNDECIDED, "V7", (fill(1, "T1"),)))
    await desk.handler.handle(fill(3, "T2", final=1))

    assert desk.booked == ["T1", "T2"]
