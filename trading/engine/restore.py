"""Puts a snapshot back into the core and the venue, also one of another version of the core."""

import msgspec
import structlog

from trading.engine.batches import EngineState, Snapshot
from trading.engine.memory import JournaledMarkets
from trading.engine.ports import MarketFeed, Venue
from trading.engine.state import CoreState, layout_hash

log = structlog.get_logger(__name__)


async def restore(
    state: EngineState,
    snapshot: Snapshot,
    *,
    core: CoreState,
    venue: Venue,
    feed: MarketFeed,
    history_bars: int,
) -> JournaledMarkets:
    """Byte for byte where core and layout are the same; what of the records need not be written again.

    Otherwise the markets are warmed up again over ``history_bars`` bars before the saved cursor, and
    account, positions and order numbers are carried over by name.
    """
    venue.restore(snapshot.venue)
    same = (state.snapshot_core_hash, state.snapshot_layout_hash) == (core.core_hash, layout_hash())
    if same:
        records = b"".join(one.record for one in snapshot.markets)
        core.load(markets=records, account=snapshot.account)
        return JournaledMarkets(snapshot.markets)
    saved = {
        "account": msgspec.json.decode(snapshot.portable),
        "markets": [msgspec.json.decode(one.portable) for one in snapshot.markets],
    }
    history = [
        await feed.history(market=m, before_ns=market["last_open_ns"] + 1, count=history_bars)
        for m, market in enumerate(saved["markets"])
    ]
    core.rebuild(saved, history)
    log.warning("core_changed_state_rebuilt", former=state.snapshot_core_hash)
    return JournaledMarkets()
