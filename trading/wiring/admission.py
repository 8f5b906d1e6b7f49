"""What must be right before an engine begins: its pairs, the least orders, the clock; one sentence each."""

import asyncio
import time
from decimal import Decimal

import structlog
from django.conf import settings
from django.db.models import Sum

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading.engine import reconcile
from trading.engine.errors import CannotTrade
from trading.engine.reach import Least, find_shortage, reach_of
from trading.engine.sights import Sight
from trading.exchanges.ccxt.client import CannotOpen, open_client
from trading.exchanges.ccxt.names import UnknownMarket
from trading.exchanges.coinbase import terms as coinbase
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken import terms as kraken
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.replay import FOREVER
from trading.exchanges.terms import Terms, VenueTerms
from trading.exchanges.venue_clock import VenueClock
from trading.models import LedgerEntry, OrderIntent, Position
from trading.operations.accounts import UNSETTLED
from trading.queries.bars import CCXT, bar_source, is_wired
from trading.wiring.durability import find_weakness
from trading.wiring.feeds import COINBASE_VENUES, first_ns, venue_urls
from trading.wiring.plans import CannotRun, Plan

log = structlog.get_logger(__name__)


def examine(plan: Plan) -> None:
    """Refuse an engine that could never trade; nothing is sent but public questions.

    An engine that holds something runs in any case, since its stops must be looked after: what is
    wrong then holds its entries. A venue that does not answer is waited for by the engine itself.

    Raises:
        CannotRun: one clear sentence. CannotFeed: there are no bars.
    """
    with tenant_scope(plan.tenant_id):
        if _holds_something(plan):
            return
        _check_durability(plan)
        capital = _capital(plan)
    try:
        terms = asyncio.run(_ask(plan)) if is_wired(plan.account.venue) else _stored(plan)
    except FAILS as error:
        log.warning("venue_not_examined", why=str(error))
        return
    except (CannotTrade, UnknownMarket, CannotOpen) as error:
        raise CannotRun(str(error)) from None
    _check_clock(plan, terms)
    _check_sizes(plan, terms, capital)


def _holds_something(plan: Plan) -> bool:
    held = Position.objects.filter(bot__account=plan.account, closed_at=None)
    sent = OrderIntent.objects.filter(bot__account=plan.account, state__in=UNSETTLED)
    return held.exists() or sent.exists()


def _capital(plan: Plan) -> Decimal:
    """Of an account that holds nothing."""
    booked = LedgerEntry.objects.filter(
        account=plan.account,
        book=LedgerEntry.Book.ASSETS,
        currency=plan.account.quote_currency,
    )
    return Decimal(booked.aggregate(total=Sum("amount"))["total"] or 0)


async def _ask(plan: Plan) -> VenueTerms:
    venue, symbols = plan.account.venue, [spec.symbol for spec in plan.specs]
    if venue.startswith(CCXT):
        return await _ask_ccxt(venue, symbols)
    url = venue_urls(venue)[0]
    if venue in COINBASE_VENUES:
        at_coinbase = CoinbaseRest(url=url, clock=VenueClock())
        try:
            return await coinbase.ask_terms(at_coinbase, symbols, time.time_ns)
        finally:
            await at_coinbase.close()
    at_kraken = KrakenRest(url=url)
    try:
        return await kraken.ask_terms(at_kraken, symbols, time.time_ns)
    finally:
        await at_kraken.close()


async def _ask_ccxt(venue: str, symbols: list[str]) -> VenueTerms:
    """Whether it lists them; the least orders are the stored ones."""
    client = open_client(venue)
    try:
        for symbol in symbols:
            await client.market(symbol)
    finally:
        await client.close()
    return VenueTerms(0.0, {})


def _stored(plan: Plan) -> VenueTerms:
    """Of bars that are replayed: the price with which they begin."""
    found = {}
    for spec, market in zip(plan.specs, plan.markets, strict=True):
        source = bar_source(
            venue=plan.account.venue,
            instrument=market.instrument,
            timeframe_seconds=market.revision.timeframe_seconds,
        )
        pieces = source.iter_bars(start_ns=first_ns(plan.engine), end_ns=FOREVER)
        first = next((piece for piece in pieces if len(piece)), None)
        price = Decimal(0) if first is None else Decimal(repr(float(first["open"][0])))
        found[spec.symbol] = Terms(spec.min_quantity, spec.min_notional, price)
    return VenueTerms(0.0, found)


def _has_real_money(plan: Plan) -> bool:
    account = plan.account
    is_play = account.venue in ExchangeAccount.PLAY_VENUES
    return account.mode == ExchangeAccount.Mode.LIVE and not is_play


def _check_durability(plan: Plan) -> None:
    if settings.PRODUCTION and _has_real_money(plan) and (weakness := find_weakness()):
        raise CannotRun(weakness)


def _check_clock(plan: Plan, terms: VenueTerms) -> None:
    """Real orders carry times; the simulator's own time is invented."""
    account = plan.account
    if not _has_real_money(plan):
        return
    skew = reconcile.find_skew(Sight({}, ahead_seconds=terms.ahead_seconds))
    if skew:
        raise CannotRun(f"{account}: {skew[reconcile.CLOCK]}; set the clock, then start again")


def _check_sizes(plan: Plan, terms: VenueTerms, capital: Decimal) -> None:
    for spec, market, params in zip(plan.specs, plan.markets, plan.params, strict=True):
        told = terms.of_symbol.get(spec.symbol) or Terms(Decimal(0), Decimal(0), Decimal(0))
        least = Least(
            venue=plan.account.get_venue_display(),
            symbol=spec.symbol,
            quantity=max(told.min_quantity, spec.min_quantity),
            notional=max(told.min_notional, spec.min_notional),
            price=told.last_price,
        )
        shortage = find_shortage(
            reach=reach_of(params),
            least=least,
            bot=market.bot.name,
            capital=capital,
            quote=plan.account.quote_currency,
        )
        if shortage:
            raise CannotRun(shortage)
