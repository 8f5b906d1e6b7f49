"""The market feed of an engine: its markets' bars, replayed at its speed or told by a venue."""

from collections.abc import Sequence
from functools import partial

from django.conf import settings

from trading.engine.ports import Clock, MarketFeed
from trading.exchanges import synthetic
from trading.exchanges.book_watch import FRESH_NS, BookWatch
from trading.exchanges.booked_feed import BookedFeed
from trading.exchanges.books import Books
from trading.exchanges.ccxt.client import CannotOpen, open_client
from trading.exchanges.ccxt.feed import CcxtFeed
from trading.exchanges.coinbase.books import CoinbaseBooks
from trading.exchanges.coinbase.feed import CoinbaseFeed
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import API_PATH
from trading.exchanges.kraken.books import KrakenBooks
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.recording import RecordingFeed
from trading.exchanges.replay import FOREVER, InvalidSpeed, ReplayFeed, parse_speed
from trading.exchanges.venue_clock import VenueClock
from trading.ledger.rows import to_ns
from trading.marketdata.store import SeriesKey
from trading.models import Engine
from trading.queries.bars import CCXT, CannotFeed, bar_source, is_wired, open_recordings
from trading.queries.markets import EngineMarket
from trading.wiring.simulator_state import simulator_port, simulator_speed

NS_PER_SECOND = 1_000_000_000
COINBASE_VENUES = frozenset({"coinbase", "simulator_coinbase"})


def first_ns(engine: Engine) -> int:
    """Where an engine's market begins."""
    if engine.replay_from:
        return to_ns(engine.replay_from)
    return synthetic.START_NS if engine.account.venue == "synthetic" else 0


def venue_urls(venue: str) -> tuple[str, str, str]:
    """(REST, WebSocket, private WebSocket) of a venue that is reached by wire.

    Raises:
        CannotFeed: it is the simulator, which never ran here.
    """
    if venue == "simulator":
        server = f"127.0.0.1:{simulator_port()}"
        return f"http://{server}", f"ws://{server}/v2", f"ws://{server}/v2/auth"
    if venue == "simulator_coinbase":
        server = f"127.0.0.1:{simulator_port()}"
        socket = f"ws://{server}/coinbase/ws"
        return f"http://{server}{API_PATH}", socket, f"{socket}/user"
    rest, public, private = settings.COINBASE_URLS if venue == "coinbase" else settings.KRAKEN_URLS
    return rest, public, private


def fresh_ns(venue: str) -> int:
    """How old a book may be, in the venue's time: at the simulator it may run faster than ours."""
    is_simulated = venue.startswith("simulator")
    return int(FRESH_NS * max(simulator_speed(), 1.0)) if is_simulated else FRESH_NS


def build_feed(
    *,
    engine: Engine,
    markets: Sequence[EngineMarket],
    speed: str | None,
    clock: Clock,
    venue_clock: VenueClock | None = None,
) -> MarketFeed:
    """The feed of an engine; with ``venue_clock`` of one that trades live, which also needs prices.

    Raises:
        CannotFeed: a venue without a feed, no stored bars, a bad speed, or mixed timeframes.
    """
    if len({market.revision.timeframe_seconds for market in markets}) > 1:
        raise CannotFeed("all bots of one engine must trade the same timeframe")
    if is_wired(engine.account.venue):
        return _wire_feed(engine.account.venue, markets, venue_clock)
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


def _wire_feed(venue: str, markets: Sequence[EngineMarket], clock: VenueClock | None) -> MarketFeed:
    seconds = markets[0].revision.timeframe_seconds
    try:
        feed = _feed_of(
            venue,
            symbols=[market.instrument.symbol for market in markets],
            timeframe_ns=seconds * NS_PER_SECOND,
            clock=clock,
        )
    except (ValueError, CannotOpen) as error:
        raise CannotFeed(str(error)) from None
    keys = [SeriesKey(m.instrument.venue, m.instrument.symbol, seconds) for m in markets]
    return RecordingFeed(feed, store=open_recordings(), keys=keys)


def _feed_of(
    venue: str, *, symbols: Sequence[str], timeframe_ns: int, clock: VenueClock | None
) -> MarketFeed:
    """Bars and order books over the venue's protocol.

    Raises:
        ValueError: the venue has no candles of the timeframe.
        CannotOpen: ccxt is not there, or does not know the venue.
    """
    time, books = clock or VenueClock(), Books(symbols)
    if venue.startswith(CCXT):
        client = open_client(venue)
        return CcxtFeed(client=client, symbols=symbols, timeframe_ns=timeframe_ns, clock=time)
    open_feed = _coinbase if venue in COINBASE_VENUES else _kraken
    feed, watch = open_feed(
        venue, books, timeframe_ns=timeframe_ns, time=time, with_ticks=clock is not None
    )
    return BookedFeed(feed, watch=watch)


def _kraken(
    venue: str, books: Books, *, timeframe_ns: int, time: VenueClock, with_ticks: bool
) -> tuple[MarketFeed, BookWatch]:
    url, socket, _ = venue_urls(venue)
    rest = KrakenRest(url=url)
    feed = KrakenFeed(
        rest=rest,
        ws_url=socket,
        symbols=books.symbols,
        timeframe_ns=timeframe_ns,
        clock=time,
        with_ticks=with_ticks,
    )
    converse = partial(KrakenBooks, rest, books, time, {})
    return feed, BookWatch(feed.venue, socket, books, converse, time, fresh_ns(venue))


def _coinbase(
    venue: str, books: Books, *, timeframe_ns: int, time: VenueClock, with_ticks: bool
) -> tuple[MarketFeed, BookWatch]:
    url, socket, _ = venue_urls(venue)
    rest = CoinbaseRest(url=url, clock=time)
    feed = CoinbaseFeed(
        rest=rest,
        ws_url=socket,
        symbols=books.symbols,
        timeframe_ns=timeframe_ns,
        clock=time,
        with_ticks=with_ticks,
    )
    converse = partial(CoinbaseBooks, rest, books, time, {})
    return feed, BookWatch(feed.venue, socket, books, converse, time, fresh_ns(venue))
