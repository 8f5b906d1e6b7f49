"""Builds one engine from its rows: markets, parameters, feed, venue, ledger, lease, live view."""

import socket
from dataclasses import dataclass

from django.conf import settings
from django.db import connections

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading.core import params as core_params
from trading.core.config.pipeline import PipelineParams
from trading.engine.clock import SystemClock
from trading.engine.handler import Ports
from trading.engine.live import Identity, LiveView
from trading.engine.messages import MarketSpec
from trading.engine.runner import Outcome, Runner
from trading.exchanges.paper import PaperVenue
from trading.ledger.inbox import CommandInbox
from trading.ledger.lease import LeaseTimes, PostgresLease
from trading.ledger.writer import DjangoLedger
from trading.models import Engine
from trading.queries.markets import EngineMarket, list_markets
from trading.stream.publisher import RedisPublisher
from trading.wiring.feeds import build_feed

NS_PER_SECOND = 1_000_000_000


class CannotRun(Exception):
    """The rows of an engine do not make a runnable engine; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of one engine, read once."""

    tenant_id: str
    engine: Engine
    account: ExchangeAccount
    markets: tuple[EngineMarket, ...]
    specs: tuple[MarketSpec, ...]
    params: tuple[PipelineParams, ...]


def read_plan(*, tenant_id: str, engine_id: str) -> Plan:
    """Read an engine's account, bots, revisions and instruments.

    Raises:
        CannotRun: no bot, no revision, no instrument, a live account, or mixed quote currencies.
    """
    with tenant_scope(tenant_id):
        engine = Engine.objects.select_related("account").get(id=engine_id)
        account = engine.account
        if account.mode != ExchangeAccount.Mode.PAPER:
            raise CannotRun(f"{account} is in live mode; this version trades on paper only")
        markets = tuple(list_markets(account_id=account.id))
    if not markets:
        raise CannotRun(f"{account} has no paper bot with an active revision and an instrument")
    wrong = {market.instrument.quote for market in markets} - {account.quote_currency}
    if wrong:
        raise CannotRun(
            f"{account} is kept in {account.quote_currency}, but an instrument is quoted in "
            f"{', '.join(sorted(wrong))}"
        )
    return Plan(
        tenant_id=tenant_id,
        engine=engine,
        account=account,
        markets=markets,
        specs=tuple(_spec(market) for market in markets),
        params=tuple(
            core_params.validate(PipelineParams, market.revision.params) for market in markets
        ),
    )


def _spec(market: EngineMarket) -> MarketSpec:
    instrument = market.instrument
    return MarketSpec(
        index=market.index,
        bot_id=str(market.bot.id),
        revision_id=str(market.revision.id),
        instrument_id=instrument.id,
        venue=instrument.venue,
        symbol=instrument.symbol,
        base=instrument.base,
        quote=instrument.quote,
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        min_quantity=instrument.min_quantity,
        min_notional=instrument.min_notional,
        timeframe_ns=market.revision.timeframe_seconds * NS_PER_SECOND,
    )


class EngineProcess:
    """One engine of this process with everything it must close at the end."""

    def __init__(self, *, plan: Plan, speed: str | None) -> None:
        from trading.core import pipeline  # compiled code: only an engine process pays for it
        from trading.engine.state import CoreState, layout_hash

        clock = SystemClock()
        engine_id = str(plan.engine.id)
        self._lease = _lease(plan, clock)
        self._ledger = DjangoLedger(
            tenant_id=plan.tenant_id,
            engine_id=engine_id,
            account_id=str(plan.account.id),
            specs=plan.specs,
            epoch=lambda: self._lease.epoch,
            decision_dtype=pipeline.DECISION,
            core_hash=environment_core_hash(),
            layout_hash=layout_hash(),
            longest_pause_seconds=settings.LEASE_SECONDS[0],
        )
        self._publisher = RedisPublisher(url=settings.REDIS_URL, tenant_id=plan.tenant_id)
        self._feed = feed = build_feed(
            engine=plan.engine, markets=plan.markets, speed=speed, clock=clock
        )
        identity = Identity(
            engine_id=engine_id,
            mode=plan.account.mode,
            venue=plan.account.venue,
            currency=plan.account.quote_currency,
        )
        self.runner = Runner(
            core=CoreState(engine_id=engine_id, specs=plan.specs, params=plan.params),
            ports=Ports(
                venue=PaperVenue(feed=feed, specs=plan.specs, params=plan.params),
                feed=feed,
                ledger=self._ledger,
                inbox=CommandInbox(ledger=self._ledger, engine_id=engine_id),
                lease=self._lease,
                live=LiveView(sink=self._publisher, identity=identity, clock=clock),
                clock=clock,
            ),
        )

    async def run(self) -> Outcome:
        """Run until the feed ends, leadership is lost, or ``stop``; then close everything."""
        await self._publisher.start()
        try:
            return await self.runner.run()
        finally:
            await self._publisher.close()
            await self._ledger.close()
            await self._feed.close()


def environment_core_hash() -> str:
    """Hash of the core's sources this process runs."""
    from trading.core.jit import CORE_HASH

    return CORE_HASH


def _lease(plan: Plan, clock: SystemClock) -> PostgresLease:
    parameters = connections["default"].get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port", "connect_timeout")
    return PostgresLease(
        connect={name: parameters[name] for name in wanted if parameters.get(name)},
        tenant_id=plan.tenant_id,
        engine_id=str(plan.engine.id),
        host=socket.gethostname(),
        core_hash=environment_core_hash(),
        times=LeaseTimes(*settings.LEASE_SECONDS),
        clock=clock,
    )
