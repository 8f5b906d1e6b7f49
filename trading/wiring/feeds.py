"""The market feed of an engine: its markets' bars, replayed at its speed."""

from collections.abc import Sequence

from trading.engine.ports import Clock
from trading.exchanges import synthetic
from trading.exchanges.replay import FOREVER, InvalidSpeed, ReplayFeed, parse_speed
from trading.ledger.rows import to_ns
from trading.models import Engine
from trading.queries.bars import CannotFeed, bar_source
from trading.queries.markets import EngineMarket


def first_ns(engine: Engine) -> int:
    """Where an engine's market begins."""
    if engine.replay_from:
        return to_ns(engine.replay_from)
    return synthetic.START_NS if engine.account.venue == "synthetic" else 0


def build_feed(
    *, engine: Engine, markets: Sequence[EngineMarket], speed: str | None, clock: Clock
) -> ReplayFeed:
    """The feed of an engine.

    Raises:
        CannotFeed: a venue without a feed, no stored bars, a bad speed, or mixed timeframes.
    """
    if len({market.revision.timeframe_seconds for market in markets}) > 1:
        raise CannotFeed("all bots of one engine must trade the same timeframe")
    try:
        pace = parse_speed(speed or engine.speed)
    except InvalidSpeed as error:
        raise CannotFeed(str(error)) from None
    return ReplayFeed(
        sources=[
            bar_source(
                venue=engine.account.venue,
                instrument=market.instrument,
                timeframe_seconds=market.revision.timeframe_seconds,
            )
            for market in markets
        ],
        clock=clock,
        speed=pace,
        start_ns=first_ns(engine),
        end_ns=to_ns(engine.replay_to) if engine.replay_to else FOREVER,
    )
