"""The market feed of an engine: its markets' bars, replayed at its speed or told by a venue."""

from collections.abc import Sequence
from functools import partial

from django.conf import settings

from trading.engine.ports import Clock, MarketFeed
from trading.engine.quotes import Quotes
from trading.exchanges import synthetic
from trading.exchanges.book_watch import FRESH_NS, BookWatch
from trading.exchanges.booked_feed import BookedFeed
from trading.exchanges.books import Books
from trading.exchanges.ccxt.client import CannotOpen, open_client
from trading.exchanges.ccxt.feed import CcxtFeed
from trading.exchanges.coinbase.books import CoinbaseBooks
from trading.exchanges.coinbase.feed import CoinbaseFeed
from trading.exchanges.coinbase.names import PRODUCTS
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import API_PATH
from trading.exchanges.fallback import FallbackFeed
from trading.exchanges.kraken.books import KrakenBooks, read_book
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.instruments import Instruments
from trading.exchanges.kraken.names import TABLE
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.recording import RecordingFeed
from trading.exchanges.replay import FOREVER, InvalidSpeed, ReplayFeed, parse_speed
from trading.exchanges.sockets import listen
from trading.exchanges.tables import OwnTable
from trading.exchanges.unstored import PatientStore, StoredOrHeldFeed
from trading.exchanges.venue_clock import VenueClock
from trading.ledger.rows import to_ns
from trading.marketdata.store import SeriesKey
from trading.models import Engine
from trading.queries.bars import CCXT, CannotFeed, bar_source, is_wired
from trading.queries.feeds import OWN, SHARED, STORED, is_shared
from trading.queries.markets import EngineMarket
from trading.wiring.shared_feeds import Source, shared_source, table_of
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
    instruments: Instruments | None = None,
    quotes: Quotes | None = None,
) -> MarketFeed:
    """The feed of an engine; with ``venue_clock`` of one that trades live, which also needs prices.

    ``instruments`` hears on which terms Kraken's pairs trade, where it is Kraken's; ``quotes`` hears
    what a venue that is reached by wire says between bars.

    Raises:
        CannotFeed: a venue without a feed, no stored bars, a bad speed, or mixed timeframes.
    """
    if len({market.revision.timeframe_seconds for market in markets}) > 1:
        raise CannotFeed("all bots of one engine must trade the same timeframe")
    if is_wired(engine.account.venue):
        return _wire_feed(engine.account.venue, markets, venue_clock, instruments, quotes)
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


def road_of(feed: MarketFeed) -> str:
    """Where the market is heard from at this moment, in words."""
    if isinstance(feed, BookedFeed | StoredOrHeldFeed):
        return road_of(feed.feed)
    if isinstance(feed, FallbackFeed):
        return SHARED if feed.is_shared else f"{OWN}, since the shared feed was gone"
    return STORED if isinstance(feed, ReplayFeed) else OWN


def _wire_feed(
    venue: str,
    markets: Sequence[EngineMarket],
    clock: VenueClock | None,
    instruments: Instruments | None,
    quotes: Quotes | None,
) -> MarketFeed:
    """Bars through the shared feed of this host where there is one, which records them; else our own.

    Order books come over a connection of the engine's own.
    """
    timeframe_ns = markets[0].revision.timeframe_seconds * NS_PER_SECOND
    symbols = [market.instrument.symbol for market in markets]
    time, store = clock or VenueClock(), PatientStore(settings.RECORDED_DIR)
    build = partial(
        feed_of,
        venue,
        symbols=symbols,
        timeframe_ns=timeframe_ns,
        clock=time,
        with_ticks=clock is not None,
        instruments=instruments,
        quotes=quotes,
    )

    def own() -> MarketFeed:
        return _recorded(build(), markets=markets, store=store)

    try:
        if not is_shared(venue):
            feed: MarketFeed = own()
        else:
            shared = shared_source(venue, symbols=symbols, timeframe_ns=timeframe_ns)
            feed = FallbackFeed(build(source=shared), make_own=own)
    except (ValueError, CannotOpen) as error:
        raise CannotFeed(str(error)) from None
    feed = StoredOrHeldFeed(feed, store=store)
    if venue.startswith(CCXT):
        return feed
    return BookedFeed(feed, watch=_watch_books(venue, symbols=symbols, clock=time))


def _recorded(
    feed: MarketFeed, *, markets: Sequence[EngineMarket], store: PatientStore
) -> RecordingFeed:
    instruments, seconds = [m.instrument for m in markets], markets[0].revision.timeframe_seconds
    keys = [SeriesKey(one.venue, one.symbol, seconds) for one in instruments]
    return RecordingFeed(feed, store=store, keys=keys)


def _watch_books(venue: str, *, symbols: Sequence[str], clock: VenueClock) -> BookWatch:
    url, socket, _ = venue_urls(venue)
    books = Books(symbols)
    watch = partial(BookWatch, url=socket, books=books, clock=clock, fresh_ns=fresh_ns(venue))
    if venue in COINBASE_VENUES:
        table = table_of(venue, own=OwnTable(CoinbaseRest(url=url, clock=clock), PRODUCTS))
        return watch(CoinbaseFeed.venue, converse=partial(CoinbaseBooks, table, books, clock, {}))
    table = table_of(venue, own=OwnTable(KrakenRest(url=url), TABLE))
    return watch(
        KrakenFeed.venue,
        converse=partial(KrakenBooks, table, books, clock, {}),
        read=read_book,
    )


def feed_of(
    venue: str,
    *,
    symbols: Sequence[str],
    timeframe_ns: int,
    clock: VenueClock,
    with_ticks: bool = False,
    instruments: Instruments | None = None,
    quotes: Quotes | None = None,
    source: Source | None = None,
) -> MarketFeed:
    """Bars over the venue's protocol, and prices between them where they are wanted.

    Raises:
        ValueError: the venue has no candles of the timeframe.
        CannotOpen: ccxt is not there, or does not know the venue.
    """
    if venue.startswith(CCXT):
        client = open_client(venue)
        return CcxtFeed(client=client, symbols=symbols, timeframe_ns=timeframe_ns, clock=clock)
    source = source or own_source(venue, clock=clock)
    is_coinbase = venue in COINBASE_VENUES
    open_feed = CoinbaseFeed if is_coinbase else partial(KrakenFeed, instruments=instruments)
    return open_feed(
        rest=source.rest,
        ws_url=source.url,
        listen=source.listen,
        symbols=symbols,
        timeframe_ns=timeframe_ns,
        clock=clock,
        with_ticks=with_ticks,
        quotes=quotes,
    )


def own_source(venue: str, *, clock: VenueClock) -> Source:
    """A connection of one's own.

    Raises:
        CannotFeed: it is the simulator, which never ran here.
    """
    url, stream, _ = venue_urls(venue)
    is_coinbase = venue in COINBASE_VENUES
    rest = CoinbaseRest(url=url, clock=clock) if is_coinbase else KrakenRest(url=url)
    return Source(rest, stream, listen)
